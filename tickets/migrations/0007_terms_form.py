from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tickets", "0006_draft_problem_message")]

    operations = [
        migrations.AddField(
            model_name="ticket",
            name="terms_form",
            field=models.CharField(editable=False, max_length=10, null=True),
        ),
    ]
