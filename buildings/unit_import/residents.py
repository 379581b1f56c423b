"""Finds the residents that rows of a table name: people of the database, or newcomers."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from audit.operations import Named
from buildings.models import Block, Membership
from buildings.permissions import Blocks, known_contacts
from buildings.unit_import.rows import RowProblem, Unit, UnitKey, UnitRow
from contacts.bulk import Addition, Newcomer, ReportedContact, newcomer, secondary_counts
from contacts.models import Claim, Kind, Status, User
from contacts.text import name_key, same_name, spelling


class Residents:
    """Who the rows' residents are: people of the database, or newcomers.

    Of people of the database only those are matched whose contacts `asking` may know of, see
    `known_contacts()`. A row with any other contact that somebody holds is refused, whatever else it says.
    Contacts beyond the first of their kind, of one row or of several, become secondary ones.
    """

    def __init__(
        self,
        units: Sequence[Unit],
        problems: list[RowProblem],
        *,
        asking: Named | None,
        within: Blocks,
    ) -> None:
        self.newcomers: list[Newcomer] = []
        # The rows with contacts of somebody of whom nothing may be told, each with its refusal.
        self.refused: dict[int, RowProblem] = {}
        # How many such contacts they have.
        self.refused_contacts = 0
        # With which row newcomers came first, by their identity.
        self._came_with: dict[int, int] = {}
        self._arriving: list[tuple[User, Unit]] = []
        self._additions: list[tuple[User, ReportedContact, Unit]] = []
        for unit in units:
            # What was planned before, if anything was, is planned no more.
            unit.residents, unit.arriving, unit.enlarging = {}, set(), {}
        with_resident = [row for unit in units for row in unit.rows if row.has_resident]
        if not with_resident:
            return
        self._within = within
        claims = _claims(with_resident)
        self._holders = {
            (each.kind, each.value): each.user for each in claims.select_related("user")
        }
        # The contacts of whose holders nothing may be told.
        self._unknown: set[tuple[str, str]] = set()
        if within.ids is not None:
            known = known_contacts(claims, asking=asking, within=within)
            self._unknown = self._holders.keys() - set(known.values_list("kind", "value"))
        self._members = _members(units)
        # Who a row of a unit named so, by the unit and the folded name.
        self._named: dict[tuple[UnitKey, tuple[str, int]], User] = {}
        # How many secondary contacts of each kind somebody has.
        self._secondary: Counter[tuple[int, Kind]] = Counter()
        self._count_secondary(units)
        for unit in units:
            unit.rows = [row for row in unit.rows if self._find_resident(unit, row, problems)]

    def arrivals(self) -> Iterator[tuple[User, Unit]]:
        """Who moves into which unit; ask once the newcomers and the units are saved."""
        given: set[tuple[int, int | None]] = set()
        for user, unit in self._arriving:
            if (user.pk, unit.pk) not in given:
                given.add((user.pk, unit.pk))
                yield user, unit

    def additions(self, blocks: dict[int, Block]) -> list[Addition]:
        """Who gets which further contacts; ask once the newcomers and the units are saved."""
        return [
            Addition(user, contact, blocks[unit.key.block_id], unit)
            for user, contact, unit in self._additions
        ]

    def _find_resident(self, unit: Unit, row: UnitRow, problems: list[RowProblem]) -> bool:
        """Find the row's resident, or plan a newcomer. False if there is a problem with the resident."""
        found = list(self._problems(unit, row))
        problems += found
        return not found

    def _problems(self, unit: Unit, row: UnitRow) -> Iterator[RowProblem]:
        """Plan what the row says of its resident, or say what is wrong with that."""
        contacts = row.contacts
        members = self._members.get(unit.pk, _NOBODY)
        if not contacts:
            known = members.names.get(name_key(row.resident))
            if row.resident and known is None:
                yield RowProblem(row.row, "resident", _("needs a phone or an e-mail"))
            elif row.resident and known is not None:
                unit.residents[row.row] = known
            return
        refused = self._strangers(row)
        if refused:
            self.refused_contacts += len(refused)
            sentence = _(
                "belongs to somebody outside your blocks, or is hidden by its holder: leave the cell empty"
                " for who lives in the unit; anybody else asks for it in the app, and you approve"
            )
            self.refused[row.row] = RowProblem(row.row, refused[0], sentence)
            yield self.refused[row.row]
            return
        holders = [self._holders.get((each.kind, each.value)) for each in contacts]
        known = next(filter(None, holders), None) or self._namesake(unit, row, members)
        problem = next(self._mismatches(row, contacts, holders, known), None)
        if problem is not None:
            yield problem
        elif known is None:
            self._add_arrival(self._add_newcomer(unit, row, contacts), unit, row)
        else:
            unit.residents[row.row] = known
            further = [each for each, held in zip(contacts, holders, strict=True) if held is None]
            self._add_contacts(known, further, unit, row)
            if known.pk is None or known.pk not in members.ids:
                self._add_arrival(known, unit, row)

    def _strangers(self, row: UnitRow) -> list[Kind]:
        """The kinds of those contacts of the row of whose holders nothing may be told."""
        return [each.kind for each in row.contacts if (each.kind, each.value) in self._unknown]

    def _add_arrival(self, user: User, unit: Unit, row: UnitRow) -> None:
        self._arriving.append((user, unit))
        unit.arriving.add(row.row)
        unit.residents[row.row] = user
        if row.resident:
            self._named[unit.key, spelling(row.resident)] = user

    def _add_newcomer(self, unit: Unit, row: UnitRow, contacts: list[ReportedContact]) -> User:
        new = newcomer(
            name=row.resident,
            phone=(row.phone, row.phone_value) if row.phone else None,
            email=(row.email, row.email_value) if row.email else None,
        )
        self.newcomers.append(new)
        self._came_with[id(new.user)] = row.row
        self._holders |= dict.fromkeys(((each.kind, each.value) for each in contacts), new.user)
        self._add_contacts(new.user, row.further, unit, row)
        return new.user

    def _add_contacts(
        self, user: User, further: Iterable[ReportedContact], unit: Unit, row: UnitRow
    ) -> None:
        for contact in further:
            self._holders[contact.kind, contact.value] = user
            self._secondary[_identity(user), contact.kind] += 1
            self._additions.append((user, contact, unit))
            unit.enlarging.setdefault(row.row, []).append(contact.typed)

    def _namesake(self, unit: Unit, row: UnitRow, members: "_Members") -> User | None:
        """Who is called so in this unit, by an earlier row or as an active member."""
        if not row.resident:
            return None
        if user := self._named.get((unit.key, spelling(row.resident))):
            return user
        return members.namesakes.get(spelling(row.resident))

    def _mismatches(
        self,
        row: UnitRow,
        contacts: Sequence[ReportedContact],
        holders: Sequence[User | None],
        known: User | None,
    ) -> Iterator[RowProblem]:
        """What keeps the row from meaning one person, who may have all of these contacts."""
        unheld = [each.kind for each, held in zip(contacts, holders, strict=True) if held is None]
        if known is not None:
            for contact, holder in zip(contacts, holders, strict=True):
                if holder is not None and holder is not known and holder != known:
                    yield RowProblem(row.row, contact.kind, _another_person(contacts[0], contact))
            same = row.resident and _same_name(row, known)
            if row.resident and not same:
                yield self._another_name(row, known)
            registered = known.pk is not None
            if unheld and registered and not (same and self._may_change(known)):
                sentence = _("is not known of the person who holds the other")
                yield RowProblem(row.row, unheld[0], sentence)
        yield from self._too_many(row, known, unheld)

    def _another_name(self, row: UnitRow, known: User) -> RowProblem:
        """Why the name is refused: nobody is registered yet who only came with an earlier row."""
        if first := self._came_with.get(id(known)):
            sentence = _("is another name than the one that %(place)s has for this phone or e-mail")
            return RowProblem(row.row, "resident", sentence, first)
        sentence = _("is not the name that the holder of this phone or e-mail is registered under")
        return RowProblem(row.row, "resident", sentence)

    def _may_change(self, user: User) -> bool:
        """Whether whoever imports may give a registered person a contact: of superusers only superusers."""
        return not user.is_superuser or self._within.ids is None

    def _too_many(
        self, row: UnitRow, known: User | None, unheld: Sequence[Kind]
    ) -> Iterator[RowProblem]:
        adding = Counter(unheld if known else (each.kind for each in row.further))
        for kind, count in adding.items():
            has = self._secondary[_identity(known), kind] if known else 0
            if has + count > settings.SECONDARY_CONTACTS_LIMIT:
                sentence = _("is one more than a person can have: %d beside the first")
                yield RowProblem(row.row, kind, sentence % settings.SECONDARY_CONTACTS_LIMIT)

    def _count_secondary(self, units: Sequence[Unit]) -> None:
        """Count the contacts of the registered people who may get more."""
        growing: set[int] = set()
        for unit in units:
            for row in unit.rows:
                holders = [self._holders.get((each.kind, each.value)) for each in row.contacts]
                if None not in holders or self._strangers(row):
                    continue
                growing |= {holder.pk for holder in holders if holder is not None}
                members = self._members.get(unit.pk, _NOBODY)
                if row.resident and (user := members.namesakes.get(spelling(row.resident))):
                    growing.add(user.pk)
        if growing:
            for (pk, kind), count in secondary_counts(growing).items():
                self._secondary[pk, kind] = count


def _identity(user: User) -> int:
    """Tells people apart, newcomers by themselves."""
    return -id(user) if user.pk is None else user.pk


def _another_person(first: ReportedContact, contact: ReportedContact) -> str:
    if (first.kind, contact.kind) == (Kind.PHONE, Kind.EMAIL):
        return _("is held by another person than the phone")
    return _("is held by another person than the first one")


def _claims(rows: Iterable[UnitRow]) -> QuerySet[Claim]:
    """Those on the contacts of the rows."""
    values = [(each.kind, each.value) for row in rows for each in row.contacts]
    condition = Q(pk__in=[])
    for kind in Kind:
        condition |= Q(kind=kind, value__in=[value for each, value in values if each == kind])
    return Claim.objects.filter(condition)


class _Members:
    """Who belongs to one unit, in whatever role and status."""

    def __init__(self) -> None:
        self.memberships: list[Membership] = []

    @cached_property
    def ids(self) -> set[int]:
        return {each.user_id for each in self.memberships}

    @cached_property
    def names(self) -> dict[str, User]:
        """Who is called so, as `name_key()` has it."""
        everybody = [each.user for each in self.memberships]
        return {name_key(name): user for user in reversed(everybody) for name in _names(user)}

    @cached_property
    def namesakes(self) -> dict[tuple[str, int], User]:
        """The active ones by their `spelling()`: what who only asks calls themselves proves nothing."""
        active = [each.user for each in self.memberships if each.status == Status.ACTIVE]
        return {spelling(name): user for user in reversed(active) for name in _names(user)}


_NOBODY = _Members()


def _members(units: Iterable[Unit]) -> dict[int | None, _Members]:
    """The members of each registered unit that has some."""
    members: dict[int | None, _Members] = defaultdict(_Members)
    ids = [unit.pk for unit in units if unit.pk is not None]
    for each in Membership.objects.current().filter(apartment__in=ids).select_related("user"):
        members[each.apartment_id].memberships.append(each)
    return members


def _names(user: User) -> list[str]:
    return [name for name in (user.name, user.user_name) if name]


def _same_name(row: UnitRow, user: User) -> bool:
    return any(same_name(row.resident, name) for name in _names(user))
