"""Deletes the tables of the libraries that counted sign-ins and spent tokens before: they name people.

Whoever is signed in signs in again once.
"""

from django.db import migrations

TABLES = (
    "token_blacklist_blacklistedtoken",
    "token_blacklist_outstandingtoken",
    "axes_accessattemptexpiration",
    "axes_accessattempt",
    "axes_accessfailurelog",
    "axes_accesslog",
)


class Migration(migrations.Migration):
    dependencies = [("contacts", "0005_sessions")]

    operations = [
        migrations.RunSQL([f"DROP TABLE IF EXISTS {table}" for table in TABLES], migrations.RunSQL.noop)
    ]
