"""Find anything: people, units, blocks and entries by one field, as far as the user sees."""

import re
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.models import Entry
from buildings.models import Apartment, Block, Membership
from contacts.models import Claim, Kind, User
from tests.backoffice import Desk
from tests.test_backoffice_queries import MOST, fill

FIND = "find/"


def found(desk: Desk, term: str) -> dict[str, list[str]]:
    """The titles of the groups, and the labels of what stands in each."""
    groups = desk.page(FIND, q=term).context["groups"]
    return {group.title: [hit.label for hit in group.hits] for group in groups}


def main(desk: Desk, term: str) -> str:
    """The text of the page's own part."""
    _head, _mark, text = desk.text(FIND, q=term).partition('id="content-main"')
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", text)))


def links(desk: Desk, term: str) -> list[str]:
    text = unescape(desk.text(FIND, q=term))
    return re.findall(r'href="([^"]+)"', text[text.index('id="content-main"') :])


@pytest.fixture
def manager() -> Desk:
    return Desk("manager")


# --- Each group ------------------------------------------------------------------------------------


def test_a_name_finds_the_person_their_unit_and_what_was_done_to_them(manager):
    groups = found(manager, "resident rami")
    assert groups["People"] == ["Rami Resident"]
    assert groups["Units"] == ["Block 1, unit 2"]
    assert "Membership started" in groups["Audit log"]
    text = main(manager, "rami")
    assert "01000000002" in text
    assert "block 1, unit 2" in text
    assert "Parisa Partner" in text


def test_what_is_found_leads_to_its_page(manager):
    addresses = links(manager, "rami")
    assert "/admin/contacts/user/3/change/" in addresses
    assert "/admin/buildings/apartment/2/change/" in addresses
    assert any(re.fullmatch(r"/admin/audit/entry/\d+/change/", each) for each in addresses)


@pytest.mark.parametrize("term", ["0002", "٠٠٠٢", "01000000002", "+20 100 000 0002"])
def test_a_phone_is_found_by_its_last_digits(manager, term):
    assert "Rami Resident" in found(manager, term)["People"]


def test_whose_phone_ends_so_comes_before_others(manager):
    User.objects.filter(pk=4).update(name="A first by name", phone="01000021234")
    Claim.objects.filter(user=4, kind=Kind.PHONE).update(value="+201000021234")
    assert found(manager, "0002")["People"][0] == "Rami Resident"
    assert "A first by name" in found(manager, "0002")["People"]


def test_three_digits_find_no_phone(manager):
    assert "People" not in found(manager, "002")


def test_names_are_found_in_any_spelling(manager):
    User.objects.get(pk=3)
    person = User.objects.get(pk=3)
    person.name = "هدى مصطفي عبد الرحمن"
    person.save()
    for term in ("هدي", "عبدالرحمن", "مصطفى هُدى"):
        assert found(manager, term)["People"] == ["هدى مصطفي عبد الرحمن"]


def test_a_unit_is_found_by_its_number_and_the_very_number_comes_first(manager):
    Apartment.objects.bulk_create(
        Apartment(block_id=1, number=number, floor=1) for number in (305, 3050, 1305, 305000)
    )
    assert found(manager, "305")["Units"][0] == "Block 1, unit 305"
    assert len(found(manager, "305")["Units"]) == 4
    assert found(manager, "٣٠٥٠٠٠")["Units"] == ["Block 1, unit 305000"]


def test_a_unit_is_found_by_its_name_and_a_retired_one_last(manager):
    for pk, closed in ((5, timezone.now()), (6, None)):
        unit = Apartment.objects.get(pk=pk)
        unit.name, unit.closed_at = "Dental clinic", closed
        unit.save()
    labels = found(manager, "clinic DENTAL")["Units"]
    assert ["unit \u20686" in each for each in labels] == [True, False]
    assert "Retired" in main(manager, "dental")


def test_a_block_is_found_by_number_and_name():
    admin = Desk("admin")
    block = Block.objects.get(pk=2)
    block.number, block.name = "٢٢", "برج الهدى"
    block.save()
    for term in ("22", "الهدي"):
        (label,) = found(admin, term)["Blocks"]
        assert "برج الهدى" in label
    assert "/admin/buildings/block/2/change/" in links(admin, "الهدي")
    assert "Blocks" not in found(Desk("manager"), "الهدي")


def test_without_anything_else_the_texts_of_entries_are_searched(manager):
    manager.send("contacts/user/3/name/", name="Ramy Resident", reason="as in the passport")
    assert found(manager, "passport") == {"Audit log": ["Name corrected"]}
    assert found(Desk("neighbour"), "passport") == {}


def test_who_merely_asks_does_not_stand_as_if_they_lived_there(manager):
    assert "Pakinam Pending (Pending)" in main(manager, "pakinam")
    assert "block 1, unit 3 (Pending)" in main(manager, "pakinam")


# --- Rights ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "term",
    ["Rami", "resident@example.org", "0002", "01000000002", "Mona", "Palm", "71234", "Tower"],
)
def test_a_manager_finds_nothing_of_other_blocks(term):
    Block.objects.filter(pk=1).update(name="Foreign Tower")
    Apartment.objects.filter(pk=2).update(number=71234)
    desk = Desk("neighbour")
    assert found(desk, term) == {}


def test_what_is_foreign_of_a_person_who_belongs_to_both_is_not_shown():
    Membership.objects.create(user_id=3, block_id=2, apartment_id=12, status="active")
    desk = Desk("neighbour")
    assert found(desk, "rami")["People"] == ["Rami Resident"]
    assert found(desk, "rami")["Units"] == ["Block 2, unit 12"]
    assert "block 1" not in main(desk, "rami").lower()
    blocks = Entry.objects.filter(pk__in=_entries_found(desk, "rami")).values_list("block_id")
    assert {block for (block,) in blocks} <= {2}


def _entries_found(desk: Desk, term: str) -> list[str]:
    return re.findall(r"/admin/audit/entry/(\d+)/change/", desk.text(FIND, q=term))


@pytest.mark.parametrize("name", ["manager", "admin"])
def test_a_hidden_contact_finds_nobody_and_is_not_shown(name):
    User.objects.filter(pk=3).update(phone_hidden=True, email_hidden=True)
    desk = Desk(name)
    for term in ("01000000002", "resident@example.org", "+201000000002"):
        assert "People" not in found(desk, term)
        assert "Units" not in found(desk, term)
    assert "01000000002" not in main(desk, "rami")
    assert "•••••" in main(desk, "rami")


def test_an_anonymised_person_is_not_found():
    User.objects.filter(pk=3).update(erased_at=timezone.now())
    assert "People" not in found(Desk("admin"), "rami")


@pytest.mark.parametrize(("name", "code"), [("board", 200), ("resident", 302), ("outsider", 302)])
def test_only_who_has_an_office_finds_anything(name, code):
    if name == "board":
        Membership.objects.filter(user_id=3).update(role="board")
        name = "resident"
    assert Desk(name).page(FIND, q="rami").status_code == code


# --- The field, bounds and sentences ---------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["", "buildings/apartment/", "contacts/user/3/change/", "sessions/"]
)
def test_every_page_has_the_field_which_is_a_plain_form(manager, path):
    text = manager.text(path)
    assert '<form id="find" action="/admin/find/" role="search"' in text
    assert 'name="q"' in text


def test_the_term_stays_in_the_field_and_a_single_hit_is_a_link_and_no_redirect(manager):
    response = manager.page(FIND, q="01000000002")
    assert response.status_code == 200
    assert 'value="01000000002"' in response.content.decode()


@pytest.mark.parametrize("term", ["", "   ", "\u200f"])
def test_an_empty_term_is_told_what_may_be_looked_for(manager, term):
    assert "at least four digits of a phone" in main(manager, term)


@pytest.mark.parametrize("term", ["zzzzz", "%", "_", "😀", "<zz>", "'; --", "٣" * 60, "9" * 199])
def test_nothing_found_is_said_and_leads_to_the_audit_log(manager, term):
    assert f"Nothing was found for {term}." in main(manager, term)
    assert any(each.startswith("/admin/audit/entry/?q=") for each in links(manager, term))


def test_a_very_long_term_is_told_so(manager):
    for length in (201, 5_000):
        assert "write at most 200 characters" in main(manager, "x " * length)
    assert "Nothing was found" in main(manager, "x" * 200)
    # Other pages refuse it as before.
    assert manager.page("buildings/apartment/", q="x" * 201).status_code == 400


def test_a_few_of_each_group_are_shown_and_all_are_in_the_list(manager):
    fill(150, 0)
    text = main(manager, "person")
    assert text.count("All 150") == 2
    groups = found(manager, "person")
    assert {len(groups[title]) for title in ("People", "Units", "Audit log")} == {6}
    for address in (
        "/admin/contacts/user/?q=person",
        "/admin/buildings/apartment/?q=person&use=all",
    ):
        assert address in links(manager, "person")
        assert manager.get(address).context["cl"].result_count == 150


def test_more_than_a_thousand_are_not_counted(manager):
    fill(1_100, 0)
    assert main(manager, "person").count("All, more than 1000") == 2


# --- What it asks the database ---------------------------------------------------------------------

TERMS = ["person", "person 12", "0101", "01010000012", "5012", "person@example", "B1", "nothing"]


def asked(desk: Desk, term: str) -> list[dict[str, Any]]:
    with CaptureQueriesContext(connection) as captured:
        assert desk.page(FIND, q=term).status_code == 200
    return captured.captured_queries


@pytest.mark.parametrize("name", ["admin", "manager"])
def test_it_asks_as_often_whatever_the_tables_hold(name):
    desk = Desk(name)
    fill(150, 0)
    small = {term: len(asked(desk, term)) for term in TERMS}
    fill(1_350, 150)
    assert {term: len(asked(desk, term)) for term in TERMS} == small
    assert max(small.values()) <= MOST - 1, small


def entry_plans(desk: Desk, term: str) -> list[str]:
    """How the database gets at the entries, for each statement of the page that asks for some."""
    found = []
    explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
    for each in asked(desk, term):
        if "audit_entry" in each["sql"] and "MAX(" not in each["sql"]:
            with connection.cursor() as cursor:
                cursor.execute(f"{explain} {each['sql']}".replace("%", "%%"), [])
                found += ["|".join(map(str, row)) for row in cursor.fetchall()]
    return [plan for plan in found if "audit_entry" in plan]


@pytest.mark.parametrize("name", ["admin", "manager"])
def test_entries_are_found_by_index_and_never_by_reading_the_whole_log(commits, name):
    desk = Desk(name)
    fill(1_500, 0)
    whole = (
        r"SCAN audit_entry" if connection.vendor == "sqlite" else r"\|audit_entry\|(ALL|index)\|"
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "ANALYZE TABLE audit_entry")
    for term in ("person 12", "5012", "nothing"):
        plans = entry_plans(desk, term)
        assert plans
        assert [plan for plan in plans if re.search(whole, plan)] == [], term
