"""What the three exports share: their switches, the file, and the entry that they leave."""

from argparse import ArgumentTypeError
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import CommandParser
from django.db.models import Model, QuerySet

from audit.models import Action
from audit.operations import Origin, record
from buildings.models import Block
from omarty.days import midnight
from omarty.management.base import DataCommand, UsageProblem, counted
from omarty.tables.batches import in_batches
from omarty.tables.columns import ExportColumn
from omarty.tables.files import check_target, written_whole
from omarty.tables.writing import FORMATS, writer


class ExportCommand(DataCommand):
    """An export. A subclass gives `what`, `columns`, `dated` and `selected()`.

    The columns are of what `rows()` makes of the database's rows.
    """

    what: ClassVar[str]
    columns: ClassVar[Sequence[ExportColumn[Any]]]
    # The field that --since and --until look at.
    dated: ClassVar[str]
    writes = "FILE, whole or not at all, and one audit entry"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument(
            "--format", choices=FORMATS, help="If not given: what FILE's name ends with."
        )
        parser.add_argument("--block", type=int, metavar="ID", help="Of this block only.")
        parser.add_argument("--since", type=_day, metavar="YYYY-MM-DD", help="This day and later.")
        parser.add_argument("--until", type=_day, metavar="YYYY-MM-DD", help="Up to this day.")
        parser.add_argument(
            "--full",
            action="store_true",
            help="Phones and e-mails in full, not masked; hidden ones stay hidden.",
        )

    def selected(self, block: Block | None) -> QuerySet[Any]:
        """The rows asked for, of the block if one is named."""
        raise NotImplementedError

    def batches(self, selected: QuerySet[Any]) -> Iterator[Sequence[Model]]:
        """What was asked for in its order, some thousand at a time."""
        return in_batches(selected)

    def rows(self, batch: Sequence[Any]) -> Iterable[Any]:
        """The rows of the file; a database row may make several, or none."""
        return batch

    def run(self, **options: Any) -> None:
        path, kind = options["file"], options["format"] or options["file"].suffix[1:].lower()
        if kind not in FORMATS:
            endings = ", ".join(f".{each}" for each in FORMATS)
            raise UsageProblem(
                f"{path}: name a format by --format, or end the name with one of {endings}."
            )
        if options["since"] and options["until"] and options["since"] > options["until"]:
            raise UsageProblem("--until lies before --since.")
        check_target(path)
        block = _block(options["block"])
        selected = _between(self.selected(block), self.dated, options["since"], options["until"])
        if self.dry_run:
            written = sum(len(list(self.rows(batch))) for batch in self.batches(selected))
        else:
            written = self._export(path, kind, selected, block, options)
        self._report_outcome(path, written)

    def _export(
        self,
        path: Path,
        kind: str,
        selected: QuerySet[Any],
        block: Block | None,
        options: dict[str, Any],
    ) -> int:
        written, full = 0, options["full"]
        headings = [str(column.heading) for column in self.columns]
        with written_whole(path) as file:
            with (
                writer(kind, file, headings) as table,
                self.progress(f"Exporting {self.what}", selected.count()) as advance,
            ):
                for batch in self.batches(selected):
                    for row in self.rows(batch):
                        table.write([column.cell(row, in_full=full) for column in self.columns])
                        written += 1
                    advance(len(batch))
            # Before the file gets its name: there may be an entry too many, never one too few.
            record(
                origin=Origin.of_command(f"export_{self.what}"),
                action=Action.EXPORTED,
                block=block,
                after={
                    "what": self.what,
                    "rows": written,
                    "full": full,
                    "since": _iso(options["since"]),
                    "until": _iso(options["until"]),
                },
            )
        return written

    def _report_outcome(self, path: Path, written: int) -> None:
        rows = f"{counted(written, 'row')} of {self.what}"
        text = f"{rows} written to {path}."
        if self.dry_run:
            text = f"{rows} would be written to {path}. (Dry run.)"
        self.report({"file": str(path), "rows": written}, text)


def _iso(value: date | datetime | None) -> str | None:
    return value.isoformat() if value is not None else None


def moment(value: datetime | None) -> str:
    """A time as the commands' files have it: UTC, to the second; empty for none."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if value is not None else ""


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not a day like 2026-01-31") from error


def _block(block_id: int | None) -> Block | None:
    if block_id is None:
        return None
    block = Block.objects.filter(pk=block_id).first()
    if block is None:
        raise UsageProblem(f"There is no block {block_id}.")
    return block


def _between(
    rows: QuerySet[Any], field: str, since: date | None, until: date | None
) -> QuerySet[Any]:
    """The rows of these days as the community's clock counts them, first and last included."""
    # Before the first day of all there is no midnight, and none after the last.
    if since is not None and since > date.min:
        rows = rows.filter(**{f"{field}__gte": midnight(since)})
    if until is not None and until < date.max:
        rows = rows.filter(**{f"{field}__lt": midnight(until + timedelta(days=1))})
    return rows
