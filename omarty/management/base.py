"""The base of the data commands: options, help, progress, report and exit codes."""

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
from contacts.text import clean
from omarty.health import missing_migrations, refusal
from omarty.tables.files import TargetProblem, WriteProblem

# The last one is what a shell reports for a program that SIGINT ended.
REFUSED, USAGE, INTERRUPTED = 1, 2, 130
SECONDS_BETWEEN_LINES = 5


def counted(number: int, one: str, many: str = "") -> str:
    """The number with its noun: `1 row`, `2 rows`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


class CommandRefused(CommandError):
    """Ends the command with exit code 1 because of its input; the text is for the operator."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, returncode=REFUSED)


class UsageProblem(CommandError):
    """Ends the command with exit code 2 because its arguments make no sense."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, returncode=USAGE)


class Interrupted(CommandError):
    """The operator stopped the command; the text says what has been written."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, returncode=INTERRUPTED)


class _Help(DjangoHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Django's help, which keeps the line breaks of the description."""


class DataCommand(BaseCommand):
    """A command that states in its help what it reads, what it writes, and its exit codes.

    A subclass sets `help`, `reads` and `writes`, adds its arguments, and does its work in `run()`.
    """

    reads: ClassVar[str]
    writes: ClassVar[str]
    # Whether it commits in steps, so that a stopped command can be run again to continue; else it
    # writes all or nothing.
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
        parser.register("type", int, lambda text: int(clean(text)))
        return parser

    def _misused(self, sentence: str) -> None:
        self.as_json = "--json" in sys.argv
        self._report_error(sentence)
        self._usage(sentence)

    def run_from_argv(self, argv: list[str]) -> None:
        self._called_from_command_line = True
        for text in argv[2:]:
            # Neither the database nor standard output accepts such text.
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
                self.run(**{name: _clean(value) for name, value in options.items()})
                # So that a report that cannot be written ends the command with a sentence.
                self.stdout.flush()
        except CommandError as error:
            with suppress(OSError):
                self._report_error(str(error))
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
        """Do the command's work. Raises CommandRefused or UsageProblem to end early."""
        raise NotImplementedError

    def report(self, facts: dict[str, Any], text: str) -> None:
        """Write the outcome to standard output: `facts` with --json, else `text`."""
        self._reported = True
        if self.dry_run:
            facts = facts | {"dry_run": True}
        self.stdout.write(json.dumps(facts, ensure_ascii=False) if self.as_json else text)

    def tell(self, message: str) -> None:
        """Write one line to standard error, above the progress bar if there is one."""
        if self._shown is None:
            self.stderr.write(message, str)
        else:
            self._shown.console.print(message, markup=False, highlight=False, soft_wrap=True)

    def _report_error(self, sentence: str) -> None:
        # With --json there is always a JSON report; the sentence goes to standard error as well.
        if self.as_json and not self._reported:
            self.report({"error": sentence}, "")

    @contextmanager
    def rolled_back_if_dry(self) -> Iterator[None]:
        """On a dry run, roll back at the end what is written inside."""
        if not self.dry_run:
            yield
            return
        with transaction.atomic():
            yield
            transaction.set_rollback(True)

    @contextmanager
    def progress(self, what: str, total: int) -> Iterator[Advance]:
        """Show on standard error how many of `total` rows are done; `advance(rows)` adds to them."""
        if self.stderr.isatty() and not self.plain:
            with _bar(what, total) as (self._shown, advance):
                yield advance
            self._shown = None
            return
        yield self._progress_lines(what, total)

    def _progress_lines(self, what: str, total: int) -> Advance:
        done, last_written = 0, time.monotonic()

        def advance(rows: int) -> None:
            nonlocal done, last_written
            _forget_statements()
            done += rows
            if done >= total or time.monotonic() - last_written >= SECONDS_BETWEEN_LINES:
                last_written = time.monotonic()
                self.stderr.write(f"{what}: {done} of {total}", str)

        return advance


def _clean(value: Any) -> Any:
    """What was typed or pasted, without what nobody sees; an address of a database has a password in it."""
    return clean(value) if isinstance(value, str) and "://" not in value else value


def _why(error: DatabaseError) -> str:
    """A sentence about a database error; the usual cause is a missing migration."""
    try:
        missing = missing_migrations()
    except DatabaseError:
        missing = 0
    if missing:
        return f"{missing} migrations are missing: run `manage.py migrate` first."
    return "The database refused: {} {}".format(*refusal(error)).strip()


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
    # With DEBUG, Django stores the last 9000 statements, which are gigabytes for bulk inserts.
    reset_queries()
