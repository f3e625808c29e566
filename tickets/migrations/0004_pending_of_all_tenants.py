from django.db import migrations, models

import ticketing.mongo.indexes


class Migration(migrations.Migration):
    dependencies = [("tickets", "0003_privacy")]

    operations = [
        migrations.AddIndex(
            model_name="erasure",
            index=ticketing.mongo.indexes.PartialIndex(
                fields=["state"], name="erasures_running", partial={"state": "running"}
            ),
        ),
        migrations.AddIndex(
            model_name="export",
            index=ticketing.mongo.indexes.PartialIndex(
                fields=["is_pending"], name="exports_waiting", partial={"is_pending": True}
            ),
        ),
        migrations.AddIndex(
            model_name="export",
            index=models.Index(fields=["expires_at"], name="exports_expiring"),
        ),
    ]
