"""Whether the user that serves can read `.env`, and is the one that the other files were given to."""

import os
from collections.abc import Iterator

from django.conf import settings
from django.core.checks import CheckMessage, Warning

from omarty.deployment import places, remedies
from omarty.deployment.commands import (
    READING,
    allows,
    keeper_of_files,
    quoted,
    reader_of_settings,
    service,
)
from omarty.owner_only import ROOT


def warnings() -> Iterator[CheckMessage]:
    """About `.env`, as root sees it: whoever else runs this check has read it."""
    file = settings.BASE_DIR / ".env"
    at = places.found(file)
    who = service()
    if os.geteuid() != ROOT or who.uid == ROOT or at is None or allows(READING, at, who):
        return
    given = f"chown root:{quoted(who.group)} {quoted(file)} && chmod 640 {quoted(file)}"
    reader = reader_of_settings()
    if reader and keeper_of_files(reader):
        yield Warning(
            f"{file} is for {reader.user} to read, and where the database or the seals lie is {who.user}'s:"
            " one of them cannot serve.",
            hint=f"As whom it is served, User= in omarty.service says. If it is {who.user}:"
            f" `{given}`. If it is {reader.user}: give them the folders that DATABASE_URL and AUDIT_SEAL_FILE"
            " name."
            if remedies.ours(file)
            else remedies.instead([file]),
            id="omarty.W015",
        )
        return
    yield Warning(
        f"{who.user}, as whom Omarty is served, cannot read {file}: the server does not start.",
        hint=remedies.remedy(file, given),
        id="omarty.W017",
    )
