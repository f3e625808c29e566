import django_mongodb_backend.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="erased_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="user",
            name="former_emails",
            field=django_mongodb_backend.fields.ArrayField(
                base_field=models.EmailField(max_length=254), default=list, editable=False
            ),
        ),
    ]
