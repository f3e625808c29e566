import django.db.models.deletion
import django_mongodb_backend.fields
from django.conf import settings
from django.db import migrations, models

import ticketing.mongo.indexes


class Migration(migrations.Migration):
    dependencies = [
        ("tickets", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Upload",
            fields=[
                (
                    "id",
                    django_mongodb_backend.fields.ObjectIdAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("tenant_id", django_mongodb_backend.fields.ObjectIdField(editable=False)),
                ("ticket_id", django_mongodb_backend.fields.ObjectIdField()),
                ("comment_id", django_mongodb_backend.fields.ObjectIdField(null=True)),
                (
                    "visibility",
                    models.CharField(
                        choices=[("public", "Public answer"), ("internal", "Internal note")], max_length=10
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                ("size", models.BigIntegerField()),
                ("content_type", models.CharField(max_length=120)),
                ("sha256", models.CharField(blank=True, max_length=64)),
                ("storage_key", models.CharField(max_length=200)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("attachment_id", django_mongodb_backend.fields.ObjectIdField(null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "uploads",
                "abstract": False,
                "base_manager_name": "objects",
                "indexes": [
                    models.Index(fields=["tenant_id", "attachment_id", "expires_at"], name="uploads_pending"),
                    models.Index(fields=["expires_at"], name="uploads_expired"),
                    ticketing.mongo.indexes.UniqueIndex(
                        fields=["tenant_id", "storage_key"], name="uploads_storage_key"
                    ),
                ],
            },
        ),
    ]
