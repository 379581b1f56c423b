"""`manage.py person_export`: write all stored data about one person."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils import translation

from audit.models import Action
from audit.operations import Origin, record
from contacts.models import User
from omarty.management.base import counted
from omarty.management.people import person
from omarty.management.seals import ProofCommand
from omarty.privacy.export import sections, write_json, write_page
from omarty.tables.files import check_target, written_whole


class Command(ProofCommand):
    help = (
        "Write all stored data about one person, for that person: as JSON, and as a page that opens in\n"
        "any browser without a network. Password hash and session keys are left out."
    )
    reads = (
        "every table that names the person, the audit log and its archives too, and failed sign-ins"
    )
    writes = "person-ID.json and person-ID.html, whole or not at all, and one audit entry"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("user", metavar="USER", help="An e-mail, a phone, or an id.")
        parser.add_argument(
            "--to",
            type=Path,
            default=Path(),
            metavar="DIRECTORY",
            help="Default: the current directory.",
        )
        parser.add_argument(
            "--language", choices=[code for code, _name in settings.LANGUAGES], default="en"
        )

    def run(self, **options: Any) -> None:
        user = person(options["user"])
        files = [options["to"] / f"person-{user.pk}.{kind}" for kind in ("json", "html")]
        for file in files:
            check_target(file)
        with translation.override(options["language"]), self.in_words():
            rows = self._count(user) if self.dry_run else self._write(user, files)
        names = " and ".join(map(str, files))
        text = f"{counted(rows, 'row')} written to {names}."
        if self.dry_run:
            text = f"{counted(rows, 'row')} would be written to {names}. (Dry run.)"
        self.report(
            {"person": user.pk, "files": [str(file) for file in files], "rows": rows},
            text,
        )

    def _count(self, user: User) -> int:
        return sum(1 for section in sections(user, self.archives) for _row in section.rows)

    def _write(self, user: User, files: list[Path]) -> int:
        with written_whole(files[1]) as page, written_whole(files[0]) as file:
            rows = write_json(file, user, self.archives)
            write_page(page, user, self.archives)
            # Before the files get their names: a kill may leave an entry too many, never one too few.
            record(
                origin=Origin.of_command("person_export"),
                action=Action.EXPORTED,
                target=user,
                person=user,
                after={"what": "person", "rows": rows, "full": True},
            )
        return rows
