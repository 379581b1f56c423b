"""Finds the residents that rows of a table name: people of the database, or newcomers."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from django.db.models import Q
from django.utils.translation import gettext as _

from buildings.models import Membership
from buildings.permissions import Blocks, members_within
from buildings.unit_import.rows import RowProblem, Unit, UnitRow
from contacts.bulk import Newcomer, newcomer
from contacts.models import Claim, Kind, User
from contacts.text import same_name


class Residents:
    """Who the rows' residents are: people of the database, or newcomers.

    Of people of the database only those are matched who are members `within` these blocks. To whoever
    imports there is nobody else: a row with the contact of a stranger is refused, whatever else it says.
    """

    def __init__(self, units: Sequence[Unit], problems: list[RowProblem], within: Blocks) -> None:
        self.newcomers: list[Newcomer] = []
        # Rows that were refused because of a stranger's contact.
        self.strangers = 0
        # Whether a row has a contact, which is looked for.
        self.asked = False
        self._arriving: list[tuple[User, Unit]] = []
        with_resident = [row for unit in units for row in unit.rows if row.has_resident]
        if not with_resident:
            return
        self.asked = any(row.contacts for row in with_resident)
        self._holders = _holders(with_resident)
        self._strangers = _strangers(self._holders.values(), within)
        self._members = _members(units)
        for unit in units:
            unit.rows = [row for row in unit.rows if self._find_resident(unit, row, problems)]

    def arrivals(self) -> Iterator[tuple[User, Unit]]:
        """Who moves into which unit; ask once the newcomers and the units are saved."""
        given: set[tuple[int, int | None]] = set()
        for user, unit in self._arriving:
            if (user.pk, unit.pk) not in given:
                given.add((user.pk, unit.pk))
                yield user, unit

    def _find_resident(self, unit: Unit, row: UnitRow, problems: list[RowProblem]) -> bool:
        """Find the row's resident, or plan a newcomer. False if there is a problem with the resident."""
        contacts = row.contacts
        members = self._members.get(unit.pk, []) if unit.pk is not None else []
        if not contacts:
            known = not row.resident or any(_same_name(row, user) for user in members)
            if not known:
                problems.append(RowProblem(row.row, "resident", _("needs a phone or an e-mail")))
            return known
        holders = [self._holders.get(contact) for contact in contacts.items()]
        strange = [
            kind
            for kind, holder in zip(contacts, holders, strict=True)
            if holder is not None and holder.pk in self._strangers
        ]
        if strange:
            self.strangers += 1
            sentence = _(
                "belongs to somebody outside your blocks: they ask for the unit in the app, and you approve"
            )
            problems.append(RowProblem(row.row, strange[0], sentence))
            return False
        if not any(holders):
            self._add_arrival(self._add_newcomer(row, contacts), unit, row)
            return True
        mismatches = list(_mismatches(row, contacts, holders))
        problems += mismatches
        user = next(each for each in holders if each is not None)
        if not mismatches and user not in members:
            self._add_arrival(user, unit, row)
        return not mismatches

    def _add_arrival(self, user: User, unit: Unit, row: UnitRow) -> None:
        self._arriving.append((user, unit))
        unit.arriving.add(row.row)

    def _add_newcomer(self, row: UnitRow, contacts: dict[Kind, str]) -> User:
        new = newcomer(
            name=row.resident,
            phone=(row.phone, row.phone_value) if row.phone else None,
            email=(row.email, row.email_value) if row.email else None,
        )
        self.newcomers.append(new)
        self._holders |= dict.fromkeys(contacts.items(), new.user)
        return new.user


def _holders(rows: Iterable[UnitRow]) -> dict[tuple[str, str], User]:
    values = [contact for row in rows for contact in row.contacts.items()]
    condition = Q(pk__in=[])
    for kind in Kind:
        condition |= Q(kind=kind, value__in=[value for each, value in values if each == kind])
    claims = Claim.objects.filter(condition).select_related("user")
    return {(claim.kind, claim.value): claim.user for claim in claims}


def _strangers(holders: Iterable[User], within: Blocks) -> set[int]:
    """The ids of the holders who are no members within these blocks; to all blocks nobody is a stranger."""
    if within.ids is None:
        return set()
    people = {holder.pk for holder in holders}
    members = members_within(within).filter(user__in=people)
    return people - set(members.values_list("user_id", flat=True))


def _members(units: Iterable[Unit]) -> dict[int | None, list[User]]:
    """Who belongs to each registered unit, in whatever role and status."""
    members: dict[int | None, list[User]] = defaultdict(list)
    ids = [unit.pk for unit in units if unit.pk is not None]
    for each in Membership.objects.current().filter(apartment__in=ids).select_related("user"):
        members[each.apartment_id].append(each.user)
    return members


def _same_name(row: UnitRow, user: User) -> bool:
    return any(same_name(row.resident, name) for name in (user.name, user.user_name))


def _mismatches(
    row: UnitRow, contacts: dict[Kind, str], holders: Sequence[User | None]
) -> Iterator[RowProblem]:
    """What keeps the row from meaning one registered person."""
    kinds = list(contacts)
    if len(holders) == 2 and holders[0] is not holders[1] and holders[0] != holders[1]:
        if None in holders:
            unknown = kinds[holders.index(None)]
            yield RowProblem(row.row, unknown, _("is not known of the person who holds the other"))
        else:
            yield RowProblem(row.row, Kind.EMAIL, _("is held by another person than the phone"))
    elif row.resident and not any(_same_name(row, user) for user in holders if user is not None):
        sentence = _("is not the name that the holder of this phone or e-mail is registered under")
        yield RowProblem(row.row, "resident", sentence)
