"""Whether the audit log is sealed, and its seals lie where they should."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.checks import CheckMessage, Warning
from django.utils import timezone

from audit.models import Entry, Seal
from audit.seal_file import SealFileProblem, last_seal_line
from audit.seals import is_one_ahead
from omarty.deployment import places, remedies
from omarty.deployment.backups import database_directory
from omarty.deployment.commands import manage, paste, quoted, root_looks_after_it, service

# As long as a timer may fail without being noticed.
SEALED_WITHIN = timedelta(days=2)
APART = (
    "AUDIT_SEAL_FILE in .env: a file in another directory, best on another machine's disk;"
    " move the file, its .lock and audit-archive there (docs/audit-proof.md)."
)


def warnings() -> Iterator[CheckMessage]:
    """Whether the seal file lies apart from the database, in a folder where it can be written."""
    seal_file = Path(settings.AUDIT_SEAL_FILE)
    database = database_directory()
    # Below it too: the service may write all that lies in its directory (deploy/omarty.service).
    if database and places.real(seal_file).is_relative_to(database):
        yield Warning(
            f"{seal_file} lies in the database's own directory: who can change one can change both,"
            " and forge the audit log.",
            hint=APART,
            id="omarty.W027",
        )
    folder = seal_file.parent
    if places.wrong("AUDIT_SEAL_FILE"):
        return
    if places.found(folder) is None:
        yield Warning(
            f"AUDIT_SEAL_FILE lies in {folder}, which is not there: nothing can be sealed.",
            hint=paste(_made(folder), why="Mount its disk; or, if it has none of its own:"),
            id="omarty.W028",
        )
        return
    if not places.writable(folder):
        yield _closed(folder, folder)
    for file in (seal_file, seal_file.with_name(f"{seal_file.name}.lock")):
        if places.found(file) is not None and not places.writable(file):
            yield _closed(file, folder)


def _closed(place: Path, folder: Path) -> CheckMessage:
    who = service()
    remedy = remedies.remedy(place, remedies.given(place))
    if folder == settings.BASE_DIR and place.stat().st_uid != who.uid:
        # The program is root's, so that the server cannot change it.
        elsewhere = Path("/var/lib/omarty-seals")
        remedy = paste(
            _made(elsewhere),
            why=f"AUDIT_SEAL_FILE={elsewhere}/audit-seals.jsonl in .env, and move there what there is"
            " of the file and of audit-archive.",
        )
    return Warning(
        f"AUDIT_SEAL_FILE: {who.user} may not write {place}: nothing can be sealed.",
        hint=remedy,
        id="omarty.W029",
    )


def _made(folder: Path) -> str:
    who = service()
    owner = f" -o {quoted(who.user)} -g {quoted(who.group)}" if root_looks_after_it() else ""
    return f"install -d -m 700{owner} {quoted(folder)}"


def _differ(last: Seal | None) -> str:
    """How the file's last seal is neither the database's nor its next; empty if it is, or no file is."""
    file = Path(settings.AUDIT_SEAL_FILE)
    if places.found(file) is None:
        return ""
    try:
        line = last_seal_line(file)
    except SealFileProblem as error:
        return str(error)
    stored = (last.number, last.digest) if last else (0, "")
    if is_one_ahead(line, last) or stored == ((line.number, line.digest) if line else (0, "")):
        return ""
    return (
        f"{file} ends with seal {line.number if line else 0}, the database with seal {stored[0]}."
    )


def warnings_of_the_database() -> Iterator[CheckMessage]:
    """Whether entries were sealed, and the file has the seals still."""
    seal = paste(
        manage("audit_seal"),
        why="From a timer too (deploy/omarty-daily.timer, docs/audit-proof.md).",
    )
    if places.wrong("AUDIT_SEAL_FILE"):
        return
    last = Seal.objects.order_by("-number").first()
    if sentence := _differ(last):
        yield Warning(
            f"The seal file and the database differ: {sentence} Nothing can be sealed.",
            hint="AUDIT_SEAL_FILE and DATABASE_URL in .env: the two that belong together. After a backup was"
            " restored: README, Saving and restoring, says how sealing goes on. Put the file aside first.",
            id="omarty.W037",
        )
        return
    if last is None:
        if Entry.objects.exists():
            yield Warning("The audit log was never sealed.", hint=seal, id="omarty.W020")
        return
    if places.found(Path(settings.AUDIT_SEAL_FILE)) is None:
        yield Warning(
            f"{settings.AUDIT_SEAL_FILE} is gone, and the database has {last.number} seals: nothing can"
            " be sealed, and no change to the audit log is found.",
            hint="AUDIT_SEAL_FILE in .env: where the file is; or put the newest copy of it there"
            " (docs/audit-proof.md).",
            id="omarty.W034",
        )
    waiting = Entry.objects.filter(pk__gt=last.last_id, at__lt=timezone.now() - SEALED_WITHIN)
    if waiting.exists():
        yield Warning(
            f"Audit entries wait for their seal since more than {SEALED_WITHIN.days} days.",
            hint=seal,
            id="omarty.W021",
        )
