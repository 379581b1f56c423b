"""`import_units --template`: the workbook to be filled in with units."""

from argparse import ArgumentParser
from pathlib import Path

from django.conf import settings
from django.utils import translation
from django.utils.text import capfirst

from buildings.models import Apartment, Block
from buildings.unit_import.template import fillable_columns
from omarty.management.base import UsageProblem
from omarty.tables.files import check_target, written_whole
from omarty.tables.template import write_template


def add_template_arguments(parser: ArgumentParser) -> None:
    """Add what a template is asked for by."""
    parser.add_argument(
        "--template",
        type=Path,
        metavar="FILE.xlsx",
        help="Read nothing: write a workbook with headings, drop-downs and examples, to be filled in"
        " and loaded; with a column of the block unless --block names it.",
    )
    parser.add_argument(
        "--language",
        choices=[code for code, _name in settings.LANGUAGES],
        help="The language of the template; en if not given.",
    )


def write_unit_template(
    path: Path, *, block_id: int | None, language: str | None, dry_run: bool
) -> None:
    """Write the workbook, unless it is a dry run. Raises UsageProblem, never writes over a file."""
    if path.suffix.lower() != ".xlsx":
        raise UsageProblem(f"{path}: a template is a workbook; end its name with .xlsx.")
    if path.exists():
        raise UsageProblem(f"{path} is there already; nothing is written over it.")
    check_target(path)
    if dry_run:
        return
    blocks = None
    if block_id is None:
        blocks = list(Block.objects.select_related("building").order_by("pk"))
    with translation.override(language or "en"), written_whole(path) as file:
        write_template(
            file,
            fillable_columns(blocks),
            title=capfirst(str(Apartment._meta.verbose_name_plural)),
            right_to_left=translation.get_language_bidi(),
        )
