import django_mongodb_backend.fields
from django.conf import settings
from django.db import migrations, models

import ticketing.mongo.indexes


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_privacy"),
        ("tickets", "0002_uploads"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Erasure",
            fields=[
                (
                    "id",
                    django_mongodb_backend.fields.ObjectIdAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("tenant_id", django_mongodb_backend.fields.ObjectIdField(editable=False)),
                ("user_id", django_mongodb_backend.fields.ObjectIdField()),
                ("pseudonym", models.CharField(max_length=40)),
                ("content", models.BooleanField(default=False)),
                (
                    "state",
                    models.CharField(
                        choices=[("running", "Running"), ("done", "Done")], default="running", max_length=8
                    ),
                ),
                (
                    "emails",
                    django_mongodb_backend.fields.ArrayField(base_field=models.CharField(max_length=254), default=list),
                ),
                ("counts", models.JSONField(default=dict)),
                ("hold_id", django_mongodb_backend.fields.ObjectIdField(null=True)),
                ("requested_by_id", django_mongodb_backend.fields.ObjectIdField(null=True)),
                ("requested_via", models.CharField(max_length=10)),
                ("requested_at", models.DateTimeField()),
                ("settles_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                ("receipt", models.JSONField(null=True)),
            ],
            options={
                "db_table": "erasures",
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="Export",
            fields=[
                (
                    "id",
                    django_mongodb_backend.fields.ObjectIdAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("tenant_id", django_mongodb_backend.fields.ObjectIdField(editable=False)),
                (
                    "state",
                    models.CharField(
                        choices=[("queued", "Queued"), ("running", "Running"), ("done", "Done"), ("failed", "Failed")],
                        default="queued",
                        max_length=8,
                    ),
                ),
                ("is_pending", models.BooleanField(default=True)),
                ("requested_by_id", django_mongodb_backend.fields.ObjectIdField(null=True)),
                ("requested_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
                ("attempts", models.IntegerField(default=0)),
                ("steps", models.IntegerField(default=0)),
                ("steps_done", models.IntegerField(default=0)),
                ("bytes", models.BigIntegerField(null=True)),
                ("sha256", models.CharField(max_length=64, null=True)),
                ("storage_key", models.CharField(max_length=200, null=True)),
                ("error", models.CharField(blank=True, default="", max_length=500)),
            ],
            options={
                "db_table": "exports",
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="FileRemoval",
            fields=[
                (
                    "id",
                    django_mongodb_backend.fields.ObjectIdAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("tenant_id", django_mongodb_backend.fields.ObjectIdField(editable=False)),
                ("storage_key", models.CharField(max_length=200)),
            ],
            options={
                "db_table": "file_removals",
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="LegalHold",
            fields=[
                (
                    "id",
                    django_mongodb_backend.fields.ObjectIdAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("tenant_id", django_mongodb_backend.fields.ObjectIdField(editable=False)),
                (
                    "target",
                    models.CharField(
                        choices=[("ticket", "Ticket"), ("user", "User"), ("tenant", "Everything")], max_length=6
                    ),
                ),
                ("target_id", django_mongodb_backend.fields.ObjectIdField()),
                ("reason", models.CharField(max_length=500)),
                ("placed_by_id", django_mongodb_backend.fields.ObjectIdField(null=True)),
                ("placed_at", models.DateTimeField()),
                ("lifted_by_id", django_mongodb_backend.fields.ObjectIdField(null=True)),
                ("lifted_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "legal_holds",
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.AddField(
            model_name="ticket",
            name="redacted_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddIndex(
            model_name="attachment",
            index=models.Index(fields=["tenant_id", "uploaded_by", "ticket_id"], name="attachments_uploader"),
        ),
        migrations.AddIndex(
            model_name="comment",
            index=models.Index(fields=["tenant_id", "author", "ticket_id"], name="comments_author"),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=ticketing.mongo.indexes.PartialIndex(
                fields=["tenant_id", "closed_at", "id"],
                name="tickets_retention",
                partial={"redacted_at": None, "status": "closed"},
            ),
        ),
        migrations.AddIndex(
            model_name="erasure",
            index=ticketing.mongo.indexes.UniqueIndex(fields=["tenant_id", "user_id", "content"], name="erasures_user"),
        ),
        migrations.AddIndex(
            model_name="erasure",
            index=models.Index(fields=["tenant_id", "-requested_at", "-id"], name="erasures_requested"),
        ),
        migrations.AddIndex(
            model_name="erasure",
            index=models.Index(fields=["tenant_id", "state", "-requested_at", "-id"], name="erasures_state"),
        ),
        migrations.AddIndex(
            model_name="export",
            index=ticketing.mongo.indexes.UniqueIndex(
                fields=["tenant_id"], name="exports_pending", partial={"is_pending": True}
            ),
        ),
        migrations.AddIndex(
            model_name="export",
            index=models.Index(fields=["tenant_id", "-requested_at", "-id"], name="exports_requested"),
        ),
        migrations.AddIndex(
            model_name="fileremoval",
            index=models.Index(fields=["tenant_id", "id"], name="file_removals_order"),
        ),
        migrations.AddIndex(
            model_name="legalhold",
            index=models.Index(fields=["tenant_id", "-placed_at", "-id"], name="legal_holds_placed"),
        ),
        migrations.AddIndex(
            model_name="legalhold",
            index=models.Index(fields=["tenant_id", "lifted_at", "-placed_at", "-id"], name="legal_holds_active"),
        ),
    ]
