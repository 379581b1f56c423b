"""What the data commands share: their switches, help, progress, report and exit codes."""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, ClassVar

from django.core.management.base import (
    BaseCommand,
    CommandError,
    CommandParser,
    DjangoHelpFormatter,
)
from django.db import DatabaseError, reset_queries, transaction
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from audit.bulk import Advance
from omarty.health import missing_migrations
from omarty.tables.files import TargetProblem, WriteProblem

# The last one as a shell counts what SIGINT has ended.
REFUSED, USAGE, INTERRUPTED = 1, 2, 130
LINE_SECONDS = 5


def counted(number: int, one: str, many: str = "") -> str:
    """The number with its noun: `1 row`, `2 rows`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


class CommandRefused(CommandError):
    """The command ends with exit code 1 because of its input; the text is for the operator."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, returncode=REFUSED)


class UsageProblem(CommandError):
    """The command ends with exit code 2: it was called with something that cannot be meant."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, returncode=USAGE)


class Interrupted(CommandError):
    """The operator stopped the command; the text says what that leaves."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, returncode=INTERRUPTED)


class _Help(DjangoHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Django's help, with the description's lines left as they are."""


class DataCommand(BaseCommand):
    """A command that moves data: it states what it reads, writes and exits with.

    A subclass gives `help`, `reads` and `writes`, adds its arguments, and does its work in `run()`.
    """

    reads: ClassVar[str]
    writes: ClassVar[str]
    # Whether it works in steps, each of which stays where it is stopped; else it is all or nothing.
    in_steps: ClassVar[bool] = False
    exit_codes: ClassVar[str] = "0 done, 1 refused because of the input, 2 usage"

    dry_run = False
    as_json = False
    plain = False
    _reported = False
    _shown: Progress | None = None

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, formatter_class=_Help, **kwargs)
        parser.description = (
            f"{self.help}\n\nReads: {self.reads}\nWrites: {self.writes}\n"
            f"Exit codes: {self.exit_codes}."
        )
        self._usage = parser.error
        parser.error = self._misused  # type: ignore[method-assign, assignment]
        return parser

    def _misused(self, sentence: str) -> None:
        self.as_json = "--json" in sys.argv
        self._tell_reader(sentence)
        self._usage(sentence)

    def run_from_argv(self, argv: list[str]) -> None:
        self._called_from_command_line = True
        for text in argv[2:]:
            # Neither the database nor standard output could take it.
            if text != text.encode(errors="replace").decode():
                self.create_parser(argv[0], argv[1]).error(f"{ascii(text)} is not UTF-8")
        super().run_from_argv(argv)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="Do all the checks and write nothing."
        )
        parser.add_argument(
            "--no-progress", action="store_true", help="Plain lines in place of a progress bar."
        )
        parser.add_argument(
            "--json", action="store_true", help="Report as one JSON object on standard output."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.dry_run, self.as_json = options["dry_run"], options["json"]
        self.plain, self._reported = options["no_progress"], False
        try:
            with self._in_words():
                self.run(**options)
                # A report that cannot be written is told while it can be told in words.
                self.stdout.flush()
        except CommandError as error:
            with suppress(OSError):
                self._tell_reader(str(error))
            raise

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        """What may go wrong anywhere ends the command with a sentence."""
        try:
            yield
        except DatabaseError as error:
            raise CommandRefused(_why(error)) from error
        except TargetProblem as error:
            raise UsageProblem(str(error)) from error
        except WriteProblem as error:
            raise CommandRefused(str(error)) from error
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            raise CommandRefused(f"{where}{error.strerror or error}.") from error
        except KeyboardInterrupt as error:
            goes_on = self.in_steps and not self.dry_run
            left = "A second run goes on from here." if goes_on else "Nothing was written."
            raise Interrupted(left) from error

    def run(self, **options: Any) -> None:
        """The command's work; ends early with CommandRefused or UsageProblem."""
        raise NotImplementedError

    def report(self, facts: dict[str, Any], text: str) -> None:
        """The outcome on standard output: `facts` with --json, else `text`."""
        self._reported = True
        if self.dry_run:
            facts = facts | {"dry_run": True}
        self.stdout.write(json.dumps(facts, ensure_ascii=False) if self.as_json else text)

    def tell(self, line: str) -> None:
        """One line on standard error, above the progress bar if there is one: an error of the input."""
        if self._shown is None:
            self.stderr.write(line, str)
        else:
            self._shown.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def _tell_reader(self, sentence: str) -> None:
        # Who reads JSON gets JSON whatever happens; the sentence goes to standard error as well.
        if self.as_json and not self._reported:
            self.report({"error": sentence}, "")

    @contextmanager
    def kept(self) -> Iterator[None]:
        """What is written inside stays; on a dry run the database takes it all back at the end."""
        if not self.dry_run:
            yield
            return
        with transaction.atomic():
            yield
            transaction.set_rollback(True)

    @contextmanager
    def progress(self, what: str, total: int) -> Iterator[Advance]:
        """Shows on standard error how many of `total` rows are done, as `advance(rows)` is called."""
        if self.stderr.isatty() and not self.plain:
            with _bar(what, total) as (self._shown, advance):
                yield advance
            self._shown = None
            return
        yield self._lines(what, total)

    def _lines(self, what: str, total: int) -> Advance:
        done, told = 0, time.monotonic()

        def advance(rows: int) -> None:
            nonlocal done, told
            _forget_statements()
            done += rows
            if done >= total or time.monotonic() - told >= LINE_SECONDS:
                told = time.monotonic()
                self.stderr.write(f"{what}: {done} of {total}", str)

        return advance


def _why(error: DatabaseError) -> str:
    """Why the database refused; mostly it wants to be migrated."""
    try:
        missing = missing_migrations()
    except DatabaseError:
        missing = 0
    if missing:
        return f"{missing} migrations are missing: run `manage.py migrate` first."
    return f"The database refused: {error}"


@contextmanager
def _bar(what: str, total: int) -> Iterator[tuple[Progress, Advance]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as shown:
        task = shown.add_task(what, total=total)

        def advance(rows: int) -> None:
            _forget_statements()
            shown.advance(task, rows)

        yield shown, advance


def _forget_statements() -> None:
    # With DEBUG, Django keeps the text of the last 9000 statements: in bulk, gigabytes.
    reset_queries()
