"""Folded names keep the vowel signs of Devanagari and its like, and take ı for i."""

from django.db import migrations

from contacts.folding_migration import fill


class Migration(migrations.Migration):
    dependencies = [
        ("buildings", "0007_folded_names"),
        ("contacts", "0010_vowels_of_other_scripts"),
    ]

    operations = [fill("buildings", "Building", "Block", "Apartment")]
