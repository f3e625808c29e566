from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="tenant",
            name="hold_changes",
            field=models.IntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name="tenant",
            name="retention_ticket_days",
            field=models.IntegerField(default=0, verbose_name="days that closed tickets keep their text"),
        ),
        migrations.AddField(
            model_name="tenant",
            name="retention_user_days",
            field=models.IntegerField(default=0, verbose_name="days that deactivated accounts are kept"),
        ),
    ]
