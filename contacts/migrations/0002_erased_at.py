from django.db import migrations, models
from django.db.models import Min


def mark_the_erased(apps, schema_editor):
    """Who was erased before is known from the audit log."""
    erased = apps.get_model("audit", "Entry").objects.filter(
        action="user.erased", target_type="user"
    )
    days = erased.order_by().values_list("target_id").annotate(day=Min("at"))
    for pk, day in days:
        apps.get_model("contacts", "User").objects.filter(pk=pk).update(erased_at=day)


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0003_actions"),
        ("contacts", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="erased_at",
            field=models.DateTimeField(
                blank=True, editable=False, null=True, verbose_name="erased"
            ),
        ),
        migrations.RunPython(mark_the_erased, migrations.RunPython.noop),
    ]
