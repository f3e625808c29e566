from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tickets", "0005_console")]

    operations = [
        migrations.AddField(
            model_name="draft",
            name="problem_message",
            field=models.JSONField(null=True, default=None),
        ),
    ]
