"""The rules that span tables, checked over the whole database, a batch of rows at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from django.apps import apps
from django.conf import settings
from django.db import connection, models
from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from audit.bulk import Advance
from audit.models import Entry, Seal
from audit.seal_file import SealFileProblem, last_seal_line
from audit.seals import is_one_ahead
from buildings.models import Apartment, Block, Membership, occupied_by_nobody
from contacts.canonical import ContactProblem, with_hint
from contacts.folding import folded_fields
from contacts.masking import masked_contacts
from contacts.models import SECONDARY, Claim, Kind, SecondaryContact, Status, User
from omarty.admin_urls import admin_url_for

BATCH = 2000
OURS = ("audit", "contacts", "buildings", "legacy")
# After this long without a seal, though there are entries to seal, the timer seems not to run.
SEAL_HOURS = 24

AnyModel = TypeVar("AnyModel", bound=models.Model)


@dataclass(frozen=True)
class IntegrityProblem:
    """A row that breaks a rule, or deserves a warning; `page` is its page in the back-office, if any."""

    rule: str
    what: str
    page: str = ""
    warning: bool = False


def _batches(query: "models.QuerySet[AnyModel]") -> Iterator[list[AnyModel]]:
    """The rows by ascending id, in batches."""
    last = None
    while batch := list(
        (query if last is None else query.filter(pk__gt=last)).order_by("pk")[:BATCH]
    ):
        yield batch
        last = batch[-1].pk


def _each(query: "models.QuerySet[AnyModel]") -> Iterator[AnyModel]:
    for batch in _batches(query):
        yield from batch


# --- Contacts ------------------------------------------------------------------------------------


def contacts(advance: Advance) -> Iterator[IntegrityProblem]:
    """Each contact, primary or secondary, has a matching claim; each claim has its contact."""
    for people in _batches(User.objects.all()):
        claims: dict[int, list[Claim]] = {person.pk: [] for person in people}
        of_people = Claim.objects.filter(user__in=people)
        for claim in of_people.select_related("secondaryemail", "secondaryphone", "contact_change"):
            claims[claim.user_id].append(claim)
        for person in people:
            page = admin_url_for(User, person.pk)
            for what in _contact_problems(person, claims[person.pk]):
                yield IntegrityProblem("contacts", f"Person {person.pk}: {what}.", page)
            for what in _refused_today(person, claims[person.pk]):
                yield IntegrityProblem(
                    "contacts", f"Person {person.pk}: {what}.", page, warning=True
                )
        advance(len(people))


def _contact_problems(person: User, claims: list[Claim]) -> Iterator[str]:
    unaccounted = {
        (claim.kind, claim.value)
        for claim in claims
        if not _secondaries(claim) and not hasattr(claim, "contact_change")
    }
    for kind in Kind:
        typed = _primary(person, kind)
        if not typed:
            continue
        primary = (kind.value, _claimed(kind, typed))
        if primary[1] is None:
            yield f"the {kind} is not one"
        elif primary not in unaccounted:
            yield f"the {kind} has no claim of its own"
        unaccounted.discard(primary)
    for kind_name, _ in unaccounted:
        yield f"a claim on {_a(kind_name)} stands for no contact"
    for claim in claims:
        for contact in _secondaries(claim):
            yield from _secondary_problems(claim, contact)


def _secondaries(claim: Claim) -> list[SecondaryContact]:
    found = (getattr(claim, model.__name__.lower(), None) for model in SECONDARY.values())
    return [contact for contact in found if contact is not None]


def _secondary_problems(claim: Claim, contact: SecondaryContact) -> Iterator[str]:
    name = f"secondary {contact.kind} {contact.pk}"
    if contact.kind != claim.kind:
        yield f"{name} has a claim on {_a(claim.kind)}"
    elif _claimed(contact.kind, contact.typed) != claim.value:
        yield f"{name} has a claim on another {contact.kind} than it says"
    if contact.user_id != claim.user_id:
        yield f"{name} belongs to person {contact.user_id}, its claim does not"


def _refused_today(person: User, claims: list[Claim]) -> Iterator[str]:
    """Contacts that were taken once and would not be today: they serve until somebody corrects them."""
    primary = [(kind, _primary(person, kind)) for kind in Kind]
    secondary = [(each.kind, each.typed) for claim in claims for each in _secondaries(claim)]
    for kind, typed in (*primary, *secondary):
        if not typed or _claimed(kind, typed) is None:
            continue
        try:
            kind.canonical(typed)
        except ContactProblem as problem:
            yield with_hint(f"the {kind} {masked_contacts(typed)} cannot be one", problem.hint)


def _primary(person: User, kind: Kind) -> str:
    return (person.email if kind is Kind.EMAIL else person.phone) or ""


def _claimed(kind: Kind, typed: str) -> str | None:
    try:
        return kind.claimed(typed)
    except ContactProblem:
        return None


def _a(kind: str) -> str:
    return "an e-mail" if kind == Kind.EMAIL else "a phone"


def folded_names(advance: Advance) -> Iterator[IntegrityProblem]:
    """The folded names, by which rows are found, are those of the rows' names."""
    for model in apps.get_models():
        for field in folded_fields(model):
            for row in _each(model._base_manager.only("pk", field.name, *field.derived_from)):
                if field.value_from_object(row) != field.derived(row):
                    what = f"{model._meta.verbose_name} {row.pk} is searched by another name than it has."
                    yield IntegrityProblem(
                        "folded names", what.capitalize(), admin_url_for(model, row.pk)
                    )


# --- Buildings -----------------------------------------------------------------------------------


def units_in_blocks(advance: Advance) -> Iterator[IntegrityProblem]:
    """A membership's unit lies in its block."""
    astray = Membership.objects.filter(apartment__isnull=False).exclude(
        block_id=F("apartment__block_id")
    )
    for row in _each(astray):
        what = (
            f"Membership {row.pk} is in block {row.block_id}, its unit {row.apartment_id} is not."
        )
        yield IntegrityProblem("units in their blocks", what, admin_url_for(Membership, row.pk))


def managers(advance: Advance) -> Iterator[IntegrityProblem]:
    """Each block that is not banned has an active manager; a new block may not have one yet."""
    manages = Membership.objects.managing().filter(block=OuterRef("pk"))
    for row in _each(Block.objects.exclude(status=Status.BANNED).filter(~Exists(manages))):
        what = f"Block {row.pk} ({row}) has no active manager."
        yield IntegrityProblem("managers", what, admin_url_for(Block, row.pk), warning=True)


def occupancy(advance: Advance) -> Iterator[IntegrityProblem]:
    """An occupied unit has an active member, unless the last one has just moved out."""
    for row in _each(Apartment.objects.filter(occupied_by_nobody(), closed_at__isnull=True)):
        what = (
            f"Unit {row.pk} ({row}) of block {row.block_id} is occupied, and nobody belongs to it."
        )
        yield IntegrityProblem("occupancy", what, admin_url_for(Apartment, row.pk), warning=True)


def references(advance: Advance) -> Iterator[IntegrityProblem]:
    """What a row refers to exists: a dump may have been loaded with the database's checks off."""
    for model in apps.get_models():
        if model._meta.app_label not in OURS:
            continue
        for field in model._meta.concrete_fields:
            if isinstance(field, models.ForeignKey):
                yield from _dangling(model, field)


def _dangling(
    model: type[models.Model], field: "models.ForeignKey[object, object]"
) -> Iterator[IntegrityProblem]:
    target = field.remote_field.model._default_manager.filter(pk=OuterRef(field.attname))
    rows = model._default_manager.filter(**{f"{field.attname}__isnull": False})
    for row in _each(rows.filter(~Exists(target)).only("pk", field.attname)):
        gone = f"{field.remote_field.model._meta.verbose_name} {getattr(row, field.attname)}"
        what = f"{model._meta.verbose_name} {row.pk} names {gone}, which does not exist."
        yield IntegrityProblem("references", what.capitalize(), admin_url_for(model, row.pk))


# --- The audit log and the server ----------------------------------------------------------------


def seals(advance: Advance) -> Iterator[IntegrityProblem]:
    """The audit log is sealed, and seal file and database end with the same seal."""
    path: Path = settings.AUDIT_SEAL_FILE
    last = Seal.objects.order_by("-number").first()
    try:
        line = last_seal_line(path)
    except (SealFileProblem, OSError) as error:
        yield IntegrityProblem("seals", f"The seal file cannot be used: {error}")
        return
    in_file = (line.number, line.digest) if line else (0, "")
    in_database = (last.number, last.digest) if last else (0, "")
    if is_one_ahead(line, last):
        what = f"Seal {in_file[0]} is in the file and not in the database yet: run audit_seal."
        yield IntegrityProblem("seals", what, warning=True)
    elif in_file != in_database:
        what = f"{path} ends with seal {in_file[0]}, the database with seal {in_database[0]}"
        yield IntegrityProblem("seals", f"{what}, or they differ in it: see audit_verify.")
    yield from _unsealed(last)


def _unsealed(last: Seal | None) -> Iterator[IntegrityProblem]:
    unsealed = Entry.objects.filter(pk__gt=last.last_id) if last else Entry.objects.all()
    recent = last and last.at > timezone.now() - timedelta(hours=SEAL_HOURS)
    if not recent and unsealed.exists():
        since = f"since {last.at:%Y-%m-%d %H:%M} UTC" if last else "ever"
        what = f"No entry has been sealed {since}: is audit_seal run from a timer?"
        yield IntegrityProblem("seals", what, warning=True)


def server(advance: Advance) -> Iterator[IntegrityProblem]:
    """On MariaDB and MySQL: time zones are loaded, and tables can store any text."""
    if connection.vendor != "mysql":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT CONVERT_TZ('2026-01-01', 'UTC', %s)", [settings.TIME_ZONE])
        if cursor.fetchone()[0] is None:
            what = (
                "The database has no time-zone tables: it cannot convert times, and a query of your own "
                "with CONVERT_TZ, or with Django's __date, finds nothing. Load them: "
                "mariadb-tzinfo-to-sql /usr/share/zoneinfo | mariadb mysql"
            )
            yield IntegrityProblem("time zones", what, warning=True)
        cursor.execute(
            "SELECT table_name, column_name, character_set_name FROM information_schema.columns "
            "WHERE table_schema = DATABASE() AND character_set_name NOT IN ('utf8mb4', 'ascii') "
            # Django creates it before the first migration; it holds no text of ours.
            "AND table_name <> 'django_migrations' "
            "ORDER BY table_name, column_name"
        )
        for table, column, charset in cursor.fetchall():
            what = f"{table}.{column} is {charset}, not utf8mb4: it cannot store every text."
            yield IntegrityProblem("character sets", what, warning=True)


RULES: dict[str, Callable[[Advance], Iterator[IntegrityProblem]]] = {
    "contacts": contacts,
    "folded names": folded_names,
    "units in their blocks": units_in_blocks,
    "managers": managers,
    "occupancy": occupancy,
    "references": references,
    "seals": seals,
    "server": server,
}
