"""Models of the MongoDB layer's tests: a field of every kind that queries treat differently."""

from django.db import models
from django_mongodb_backend.fields import ArrayField

from ticketing.mongo.indexes import PartialIndex, TTLIndex, UniqueIndex


class Shelf(models.Model):
    name = models.CharField(max_length=20)

    class Meta:
        app_label = "mongo_app"

    def __str__(self) -> str:
        return self.name


class Book(models.Model):
    title = models.CharField(max_length=20)
    subtitle = models.CharField(max_length=20, null=True)  # so that it can be null or missing
    pages = models.IntegerField()
    rating = models.IntegerField(null=True)
    lent = models.BooleanField(default=False)
    published = models.DateTimeField(null=True)
    price = models.DecimalField(max_digits=6, decimal_places=2, null=True)
    tags = ArrayField(models.CharField(max_length=20, null=True), null=True)
    extra = models.JSONField(null=True)
    shelf = models.ForeignKey(Shelf, models.CASCADE, null=True, db_index=False)

    class Meta:
        app_label = "mongo_app"
        indexes = [
            models.Index(fields=["shelf", "-published", "-id"], name="book_newest"),
            models.Index(fields=["shelf", "rating"], name="book_rating"),
            models.Index(fields=["tags"], name="book_tags"),
        ]

    def __str__(self) -> str:
        return self.title


class Loan(models.Model):
    number = models.IntegerField()
    borrower = models.CharField(max_length=20, null=True)  # so that it can be null or missing
    due_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "mongo_app"
        indexes = [
            UniqueIndex(fields=["number", "-borrower"], name="loan_number"),
            PartialIndex(fields=["borrower", "pk"], name="loan_borrower", partial={"borrower": {"$exists": True}}),
            TTLIndex("due_at", name="loan_ttl", expire_after_seconds=3600),
        ]

    def __str__(self) -> str:
        return str(self.number)
