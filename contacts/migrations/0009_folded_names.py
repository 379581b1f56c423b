"""Names are searched by their folded form: adds it, and folds the names that are there."""

from django.db import migrations, models

import contacts.folding
from contacts.folding_migration import AddMissingField, AddMissingIndex, fill


class Migration(migrations.Migration):
    dependencies = [("contacts", "0008_idna_2008")]

    operations = [
        AddMissingField(
            model_name="user",
            name="folded",
            field=contacts.folding.FoldedField(
                derived_from=("name", "user_name"), max_length=400, verbose_name="names for searching"
            ),
        ),
        fill("contacts", "User"),
        AddMissingIndex("user", models.Index(fields=["folded"], name="user_folded")),
    ]
