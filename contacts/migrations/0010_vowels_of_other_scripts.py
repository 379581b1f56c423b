"""Folded names keep the vowel signs of Devanagari and its like, and take ı for i."""

from django.db import migrations

from contacts.folding_migration import fill


class Migration(migrations.Migration):
    dependencies = [("contacts", "0009_folded_names")]

    operations = [fill("contacts", "User")]
