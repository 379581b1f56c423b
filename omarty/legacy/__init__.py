"""Importing the legacy server's database: an app that can be removed as a whole one day.

Outside this folder, these know it; remove their part of it first:

    omarty/settings.py                           INSTALLED_APPS
    omarty/management/commands/import_legacy.py  the command
    omarty/privacy/erasure.py                    forget_person()
    omarty/backoffice/quarantine.py              the page of the quarantine; omarty/admin.py imports it
    omarty/backoffice/quarantine_actions.py      what is done to its rows
    omarty/backoffice/quarantine_links.py        the records that its rows are about
    omarty/backoffice/quarantine_words.py        its rows in words
    omarty/backoffice/site.py                    where that page is
    omarty/backoffice/former_addresses.py        where that page was before
    omarty/backoffice/audit_filters.py           which actions its filter offers; "legacy" in STORED_TEXTS
    omarty/integrity.py                          OURS
    buildings/migrations/0004_legacy_app.py      depends on the migration here

Imported audit entries and password hashes stay, and with them `Channel.LEGACY`, the actions `legacy.…`
(audit/models.py) and `PHPBcryptHasher` (contacts/hashers.py).
"""
