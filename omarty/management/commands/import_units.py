"""`manage.py import_units`: units and their residents from a CSV or XLSX file."""

import filecmp
import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from django.core.management.base import CommandParser
from django.db import transaction

from audit.operations import Origin
from buildings.models import Block
from buildings.permissions import EVERYTHING
from buildings.unit_import.bad_rows import BadRows
from buildings.unit_import.columns import COLUMNS
from buildings.unit_import.heading_problems import HeadingsProblem
from buildings.unit_import.headings import is_known
from buildings.unit_import.save import Outcome
from buildings.unit_import.staging import Staging
from buildings.unit_import.steps import floorless_note, save_staged, stage_table
from buildings.unit_import.unit_table import UnitTable
from omarty.management.base import CommandRefused, DataCommand, UsageProblem, counted
from omarty.management.unit_template import add_template_arguments, write_unit_template
from omarty.tables.files import check_target, written_whole
from omarty.tables.reading import TableFile, TableProblem
from omarty.tables.writing import writer


class Command(DataCommand):
    help = (
        "Load units and their residents from a table.\n\n"
        "A unit is known by its block and number: it is registered if it is new, changed where the\n"
        "table says otherwise, and left as it is else; an empty cell changes nothing. Without a column\n"
        "of floors no unit is registered. A resident is known by phone or e-mail: new people are\n"
        "registered; each becomes a resident of the unit unless they belong to it. People who are\n"
        "registered already get what further contacts the table has, and are left as they are else.\n"
        "Several residents of a unit are several rows. One bad row, and nothing is written.\n\n"
        f"Headings, in English or Arabic: {', '.join(column.key for column in COLUMNS)}.\n"
        "They need not stand in the first row. Needed are number and, without --block, block (its own\n"
        "number or name) or block id."
    )
    reads = (
        "FILE: CSV (comma, semicolon or tab) or XLSX. Of a workbook the visible sheets with the headings\n"
        "  are read, without hidden and filtered rows"
    )
    writes = (
        "units, people, their contacts and memberships, and an audit entry for each; with\n"
        "  --skip-bad a file of the rows left out. All in one transaction: killed, nothing is changed.\n"
        "  With --template the workbook alone"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", metavar="FILE", type=Path, nargs="?")
        parser.add_argument("--block", type=int, metavar="ID", help="The block of every row.")
        parser.add_argument(
            "--names",
            action="store_true",
            help="What stands in place of a unit's number and is none, such as 12A, becomes its name.",
        )
        parser.add_argument(
            "--skip-bad",
            action="store_true",
            help="Write the good rows; put the bad ones with their reasons into another file.",
        )
        parser.add_argument(
            "--bad-file",
            type=Path,
            metavar="FILE",
            help="Where the bad rows go; FILE.bad.csv or FILE.bad.xlsx if not given.",
        )
        add_template_arguments(parser)

        parser.add_argument(
            "--ignore",
            action="append",
            default=[],
            metavar="HEADING",
            help="Leave this column out; may be given several times. all: every unknown column.",
        )

    def run(self, **options: Any) -> None:
        if options["template"] is not None:
            self._write_template(**options)
            return
        if options["language"] is not None:
            raise UsageProblem("--language goes with --template.")
        if options["file"] is None:
            raise UsageProblem("the following arguments are required: FILE")
        skip_bad = options["skip_bad"]
        try:
            file = TableFile(options["file"], known=is_known)
            bad_file = options["bad_file"] or _bad_file(file)
            _check_options(options["block"], bad_file if skip_bad else None)
            with Staging() as staging, ExitStack() as committed:
                table = self._stage(file, staging, options)
                notes = table.notes
                with transaction.atomic():
                    total = self._save(staging, table)
                    notes += floorless_note(table, total)
                    bad = staging.bad_rows()
                    if bad and not skip_bad:
                        self._refuse(table, staging, bad)
                    if bad and not self.dry_run:
                        # It is whole before the rows are committed, and gets its name only then.
                        target = committed.enter_context(written_whole(bad_file))
                        _write_bad(table, staging, target, bad_file)
                    transaction.set_rollback(self.dry_run)
        except (TableProblem, HeadingsProblem) as error:
            raise CommandRefused(str(error)) from error
        self._report_outcome(total, bad, bad_file, notes)
        if bad and not total.created + total.updated + total.left:
            raise CommandRefused(
                f"{file.path}: no row was right; nothing was registered or changed."
            )

    def _write_template(self, **options: Any) -> None:
        path, block_id, language = options["template"], options["block"], options["language"]
        if options["file"] is not None:
            raise UsageProblem("--template reads no FILE: it writes one, and ends.")
        _check_options(block_id, None)
        write_unit_template(path, block_id=block_id, language=language, dry_run=self.dry_run)
        text = "would be written to" if self.dry_run else "written to"
        self.report({"template": str(path)}, f"Template {text} {path}.")

    def _stage(self, file: TableFile, staging: Staging, options: dict[str, Any]) -> UnitTable:
        with self.progress(f"Reading {file.path} (bytes)", file.size) as advance:
            return stage_table(
                file,
                staging,
                block_id=options["block"],
                within=EVERYTHING.changes,
                names=options["names"],
                ignore=options["ignore"],
                advance=advance,
            )

    def _save(self, staging: Staging, table: UnitTable) -> Outcome:
        origin = Origin.of_command("import_units")
        total = Outcome()
        with self.progress("Saving rows", staging.count()) as advance:
            for done in save_staged(
                staging, table, origin=origin, within=EVERYTHING.changes, advance=advance
            ):
                total.add(done)
        return total

    def _refuse(self, table: UnitTable, staging: Staging, bad: int) -> NoReturn:
        name = table.source.name
        sentence = f"{name}: {counted(bad, 'bad row')}; nothing was written."
        if self.as_json:
            self._report_problems(table, staging, sentence)
        else:
            for note in table.notes:
                self.tell(f"{name}: {note}")
            for problem in staging.problems():
                column = f", column {problem.column}" if problem.column else ""
                self.tell(f"{name}, {table.place(problem.row)}{column}: {problem.sentence}.")
        raise CommandRefused(sentence)

    def _report_problems(self, table: UnitTable, staging: Staging, sentence: str) -> None:
        """The JSON report of a refusal, written as it is read: there may be a million problems."""
        self._reported = True
        before: dict[str, Any] = {"error": sentence, "notes": table.notes}
        start = json.dumps(before, ensure_ascii=False).removesuffix("}")
        self.stdout.write(f'{start}, "problems": [', ending="")
        for number, problem in enumerate(staging.problems()):
            sheet, row = table.where(problem.row)
            place = {"sheet": sheet, "row": row} if sheet else {"row": row}
            wrong = {"row": row, "column": problem.column, "sentence": problem.sentence}
            line = json.dumps(wrong | place, ensure_ascii=False)
            self.stdout.write(f"{',' * bool(number)}{line}", ending="")
        self.stdout.write("]}")

    def _report_outcome(self, total: Outcome, bad: int, bad_file: Path, notes: list[str]) -> None:
        written = bad and not self.dry_run
        facts: dict[str, Any] = total.counts | {
            "bad_rows": bad,
            "bad_file": str(bad_file) if written else None,
        }
        facts |= {"notes": notes}
        text = (
            f"Units: {total.created} registered, {total.updated} changed, {total.left} left as they"
            f" were. People registered: {total.people}. Memberships started: {total.memberships}."
            f" Further contacts: {total.contacts}."
        )
        if total.unnumbered:
            text += f" Units without a number, which need correction: {total.unnumbered}."
        if not bad and not any(total.counts.values()):
            text = f"The file has no rows below its headings. {text}"
        if bad:
            where = f"see {bad_file}" if written else f"to be written to {bad_file}"
            text += f" Bad rows left out: {bad}, {where}."
        text += " (Dry run: nothing was written.)" if self.dry_run else ""
        self.report(facts, "\n".join([*notes, text]))


def _bad_file(table: TableFile) -> Path:
    return table.path.with_name(f"{table.path.stem}.bad.{'xlsx' if table.is_xlsx else 'csv'}")


def _check_options(block_id: int | None, bad_file: Path | None) -> None:
    if block_id is not None and not Block.objects.filter(pk=block_id).exists():
        raise UsageProblem(f"There is no block {block_id}.")
    if bad_file is not None:
        check_target(bad_file)


def _write_bad(table: UnitTable, staging: Staging, file: BinaryIO, path: Path) -> None:
    """The bad rows as they came, under their headings, with one more column that says what is wrong.

    Raises UsageProblem if they would be written over others, which may be half corrected.
    """
    rows = BadRows(table, staging)
    kind = "xlsx" if path.suffix == ".xlsx" else "csv"
    with writer(kind, file, rows.headings, right_to_left=rows.right_to_left) as out:
        for cells in rows:
            out.write(cells)
    file.flush()
    if path.exists() and not filecmp.cmp(path, file.name, shallow=False):
        raise UsageProblem(f"{path} is there already: correct and load it first, or move it.")
