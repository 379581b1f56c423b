"""What the commands around the audit log's seals share: where seal file and archives are."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from audit import archives
from audit.ledger import LedgerProblem
from audit.seal_file import SealFileProblem, exclusively
from audit.seals import SealsProblem
from omarty.management.base import CommandRefused, DataCommand


class ProofCommand(DataCommand):
    """A command that reads or writes the seal file and the archives."""

    seal_file: Path
    archives: Path

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--file",
            type=Path,
            default=settings.AUDIT_SEAL_FILE,
            help="The seal file; default: the setting AUDIT_SEAL_FILE.",
        )
        parser.add_argument(
            "--archives",
            type=Path,
            help="The directory of the archives; default: audit-archive beside the seal file.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.seal_file = options["file"]
        self.archives = options["archives"] or self.seal_file.parent / "audit-archive"
        super().handle(*args, **options)

    @contextmanager
    def in_words(self) -> Iterator[None]:
        """What can go wrong with the files inside ends the command with a sentence."""
        for directory in (self.seal_file.parent, self.archives.parent):
            # Made here, it would hide that the disk is not there.
            if not directory.is_dir():
                raise CommandRefused(f"{directory} does not exist: is it mounted?")
        try:
            yield
        except (SealFileProblem, SealsProblem, LedgerProblem) as error:
            raise CommandRefused(str(error)) from error
        except OSError as error:
            raise CommandRefused(f"{error.filename or self.seal_file}: {error.strerror}") from error

    @contextmanager
    def alone(self) -> Iterator[None]:
        """No other sealing, archiving or erasing on this machine meanwhile; a killed one is settled."""
        with self.in_words():
            if self.dry_run:
                yield
                return
            with exclusively(self.seal_file):
                archives.settle(self.archives)
                yield
