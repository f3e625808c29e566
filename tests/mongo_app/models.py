"""Models of the tests of the MongoDB layer: one field of every kind that queries treat differently."""

from django.db import models
from django_mongodb_backend.fields import ArrayField


class Shelf(models.Model):
    name = models.CharField(max_length=20)


class Book(models.Model):
    title = models.CharField(max_length=20)
    subtitle = models.CharField(max_length=20, null=True)
    pages = models.IntegerField()
    rating = models.IntegerField(null=True)
    lent = models.BooleanField(default=False)
    published = models.DateTimeField(null=True)
    price = models.DecimalField(max_digits=6, decimal_places=2, null=True)
    tags = ArrayField(models.CharField(max_length=20, null=True), null=True)
    extra = models.JSONField(null=True)
    shelf = models.ForeignKey(Shelf, models.CASCADE, null=True)
