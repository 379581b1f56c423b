"""The base of the commands that use the audit log's seals: options for the seal file and the archives."""

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
        self.archives = options["archives"] or archives.directory_of(self.seal_file)
        super().handle(*args, **options)

    @contextmanager
    def in_words(self) -> Iterator[None]:
        """A problem with the files ends the command with a sentence."""
        for directory in (self.seal_file.parent, self.archives.parent):
            # Created here, it would hide that a disk is not mounted.
            if not directory.is_dir():
                raise CommandRefused(
                    f"{directory} does not exist: is it mounted?{self._by_the_setting()}"
                )
        try:
            yield
        except (SealFileProblem, SealsProblem, LedgerProblem) as error:
            raise CommandRefused(str(error)) from error
        except OSError as error:
            raise CommandRefused(
                f"{error.filename or self.seal_file}: {error.strerror}.{self._by_the_setting()}"
            ) from error

    def _by_the_setting(self) -> str:
        """Where the operator corrects what no switch of the command named."""
        if self.seal_file != settings.AUDIT_SEAL_FILE:
            return ""
        return f" AUDIT_SEAL_FILE in .env is {self.seal_file}; manage.py check --deploy says what it wants."

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """No other command on this machine seals, archives or erases meanwhile.

        What a killed one left is finished or undone first.
        """
        with self.in_words():
            if self.dry_run:
                yield
                return
            with exclusively(self.seal_file):
                archives.finish_or_undo(self.archives)
                yield
