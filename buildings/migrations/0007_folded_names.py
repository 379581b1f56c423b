"""Names are searched by their folded form: adds it, and folds the names that are there."""

from django.db import migrations

import contacts.folding
from contacts.folding_migration import AddMissingField, fill


class Migration(migrations.Migration):
    dependencies = [("buildings", "0006_coordinates_on_earth"), ("contacts", "0009_folded_names")]

    operations = [
        AddMissingField(
            model_name="building",
            name="folded",
            field=contacts.folding.FoldedField(
                derived_from=("name_ar", "name_en", "street", "city"), max_length=1000
            ),
        ),
        AddMissingField(
            model_name="block",
            name="folded",
            field=contacts.folding.FoldedField(derived_from=("number", "name"), max_length=200),
        ),
        AddMissingField(
            model_name="apartment",
            name="folded",
            field=contacts.folding.FoldedField(derived_from=("name",), max_length=64),
        ),
        fill("buildings", "Building", "Block", "Apartment"),
    ]
