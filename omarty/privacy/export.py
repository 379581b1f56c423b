"""All stored data about one person, from every table."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from django.db.models import Field, Model, Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst
from django.utils.translation import get_language, get_language_bidi
from django.utils.translation import gettext as _

from audit import archives
from audit.ledger import archived_entries
from audit.models import Entry
from contacts.models import User
from omarty.tables.batches import in_batches

# Of no use to the person, and of use to somebody who wants to take over the account.
WITHHELD = {
    "password",
    "session_stamp",
    "session_key",
    "session_data",
    "token_id",
    "former_token_id",
    "digest",
    "seed",
    "codes",
    "last_step",
    "signed_by",
}

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem }
h2 { border-block-end: 2px solid #0b7285; margin-block-start: 2.5rem }
.rows { overflow-x: auto } table { border-collapse: collapse; font-size: .875rem }
th, td { border: 1px solid #adb5bd; padding: .25rem .5rem; text-align: start; vertical-align: top }
th { background: #e9ecef }
@media (prefers-color-scheme: dark) { body { background: #16191d; color: #e9ecef }
th { background: #343a40 } }
"""


@dataclass(frozen=True)
class Section:
    """The rows of one table that concern the person."""

    key: str
    title: str
    rows: Iterable[Model]


def sections(user: User, archive: Path) -> Iterator[Section]:
    """All data by table: the person, rows that refer to them, audit entries.

    Tables are found by their foreign keys to the person: a new one needs no change here. `archive` is
    the directory of the audit log's archives. Raises LedgerProblem if one of them cannot be read.
    """
    yield Section("person", _("Person"), [user])
    for relation in User._meta.related_objects:
        model: Any = relation.related_model
        rows = model._base_manager.filter(**{relation.field.name: user})
        yield Section(model._meta.label_lower, str(model._meta.verbose_name_plural), _all(rows))
    entries = chain(_archived(user, archive), _all(_entries(user)))
    yield Section("audit", _("Audit log"), _without_others_whereabouts(user, entries))


def facts(row: Model) -> dict[str, Any]:
    """The row as JSON values by field name, without the withheld fields."""
    values = {}
    for field in row._meta.concrete_fields:
        if field.name in WITHHELD:
            continue
        value = getattr(row, field.attname)
        if field.is_relation and value is not None:
            value = {"id": value, "name": str(getattr(row, field.name))}
        values[field.name] = _plain(value)
    return values


def write_json(file: BinaryIO, user: User, archive: Path) -> int:
    """Write one JSON object with a list of rows for each section. Returns the number of rows."""
    written = 0
    for index, section in enumerate(sections(user, archive)):
        head = json.dumps(section.key, ensure_ascii=False)
        file.write(f"{',' if index else '{'}\n{head}: [".encode())
        for number, row in enumerate(section.rows):
            text = json.dumps(facts(row), ensure_ascii=False)
            file.write(f"{',' if number else ''}\n  {text}".encode())
            written += 1
        file.write(b"]")
    file.write(b"\n}\n")
    return written


def write_page(file: BinaryIO, user: User, archive: Path) -> None:
    """Write the same as a self-contained HTML page, in the active language."""
    direction = "rtl" if get_language_bidi() else "ltr"
    title = _("What is kept of %s") % user
    file.write(
        format_html(
            '<!DOCTYPE html>\n<html lang="{}" dir="{}"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            "<title>{}</title><style>{}</style></head><body><h1><bdi>{}</bdi></h1>\n",
            get_language(),
            direction,
            title,
            _STYLE,
            title,
        ).encode()
    )
    for section in sections(user, archive):
        for part in _section_html(section):
            file.write(part.encode())
    file.write(b"</body></html>\n")


def _section_html(section: Section) -> Iterator[str]:
    yield format_html("<h2>{}</h2>\n", capfirst(section.title))
    empty = True
    for row in section.rows:
        fields = [field for field in row._meta.concrete_fields if field.name not in WITHHELD]
        if empty:
            heads = format_html_join("", "<th>{}</th>", ((each.verbose_name,) for each in fields))
            yield format_html(
                '<div class="rows" tabindex="0"><table><thead><tr>{}</tr></thead><tbody>\n', heads
            )
            empty = False
        # Each cell has the direction of its own text: a phone is left-to-right, a name may not be.
        cells = format_html_join(
            "", '<td dir="auto">{}</td>', ((_shown(row, field),) for field in fields)
        )
        yield format_html("<tr>{}</tr>\n", cells)
    yield format_html("<p>{}</p>\n", _("Nothing.")) if empty else "</tbody></table></div>\n"


def _shown(row: Model, field: "Field[Any, Any]") -> str:
    """The field's value for readers, with times in the community's zone."""
    value = getattr(row, field.attname)
    if value is None or value == "":
        return ""
    if field.is_relation:
        return f"{getattr(row, field.name)} (#{value})"
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, datetime):
        return date_format(timezone.localtime(value), "DATETIME_FORMAT")
    if isinstance(value, dict):
        return ", ".join(f"{name}: {each}" for name, each in value.items())
    return str(getattr(row, f"get_{field.name}_display")() if field.choices else value)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal) or not isinstance(
        value, (str, int, float, dict, list, type(None))
    ):
        return str(value)
    return value


def _all(rows: Any) -> Iterator[Model]:
    return (row for page in in_batches(rows) for row in page)


def _entries(user: User) -> Any:
    as_target = Q(target_type=User.__name__.lower(), target_id=user.pk)
    return Entry.objects.filter(Q(actor_id=user.pk) | Q(person_id=user.pk) | as_target)


def _archived(user: User, archive: Path) -> Iterator[Model]:
    """As `_entries()`, from the archive files."""
    fields = {field.attname: field for field in Entry._meta.concrete_fields}
    for path in archives.files(archive):
        for row in archived_entries(path):
            as_target = (row["target_type"], row["target_id"]) == (User.__name__.lower(), user.pk)
            if user.pk in (row["actor_id"], row["person_id"]) or as_target:
                yield Entry(**{name: fields[name].to_python(row[name]) for name in row})


def _without_others_whereabouts(user: User, entries: Iterator[Model]) -> Iterator[Model]:
    """Remove location and address from entries of other actors: these are not the person's data."""
    for row in entries:
        if isinstance(row, Entry) and row.actor_id != user.pk:
            row.longitude = row.latitude = row.ip = None
        yield row
