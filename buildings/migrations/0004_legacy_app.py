from django.db import migrations, models


class Migration(migrations.Migration):
    """The legacy app owns the two tables of moving in from now on: they stay as they are."""

    dependencies = [
        ("buildings", "0003_quarantine"),
        ("legacy", "0001_initial"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.DeleteModel(
                    name="LegacyRow",
                ),
                migrations.DeleteModel(
                    name="QuarantinedRow",
                ),
            ],
        ),
        migrations.AlterField(
            model_name="apartment",
            name="occupancy",
            field=models.CharField(
                choices=[
                    ("vacant", "Vacant"),
                    ("lived_in", "Occupied"),
                    ("closed", "Owned, unoccupied"),
                    ("being_finished", "Being finished"),
                ],
                default="vacant",
                max_length=20,
                verbose_name="occupancy",
            ),
        ),
    ]
