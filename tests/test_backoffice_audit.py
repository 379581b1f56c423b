"""The audit log in the back-office: what it shows, how it is filtered, that it never counts."""

import re
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import Max
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.models import Action, Channel, Entry, Seal
from audit.operations import Origin, entry, record
from buildings.membership_operations import start_membership
from buildings.models import Apartment, Block, Membership
from buildings.operations import register_apartment
from contacts.masking import masked_contacts
from contacts.models import SecondaryEmail, SecondaryPhone
from contacts.operations import register_user
from omarty.backoffice.audit_filters import ActionFilter
from omarty.legacy.models import LegacyRow
from tests.backoffice import Desk, fields_of
from tests.conftest import person
from tests.proof import Log

LOG = "audit/entry/"
PEOPLE = "contacts/user/"


@pytest.fixture
def desk():
    return Desk("manager")


@pytest.fixture
def origin():
    return Origin(channel=Channel.API, actor=person("manager"))


def shown(desk, **query):
    return list(desk.page(LOG, **query).context["cl"].result_list)


def fill(origin, count, block):
    Entry.objects.bulk_create(
        entry(origin=replace(origin, request_id=uuid.uuid4()), action=Action.SIGNED_IN, block=block)
        for _ in range(count)
    )


def test_a_manager_reads_the_entries_of_own_blocks_newest_first(desk, origin):
    unit = register_apartment(origin=origin, block=Block.objects.get(pk=1), number=77, floor=7)
    first, *others = shown(desk)
    assert (first.action, first.target_id) == (Action.APARTMENT_REGISTERED, unit.pk)
    assert {line.block_id for line in others} == {1}


def test_entries_of_other_blocks_are_as_unknown_ones(desk):
    foreign = Entry.objects.filter(block_id=2).latest("pk")
    page = desk.get(f"/admin/{LOG}{foreign.pk}/change/", follow=True)
    unknown = desk.get(f"/admin/{LOG}999999/change/", follow=True)
    assert page.redirect_chain == unknown.redirect_chain
    assert shown(desk, block="2") == []
    of_one_run = shown(desk, request=str(foreign.request_id))
    assert len(of_one_run) > 1
    assert {(line.request_id, line.block_id) for line in of_one_run} == {(foreign.request_id, 1)}


def test_it_is_read_only(desk):
    line = shown(desk)[0]
    page = desk.text(f"{LOG}{line.pk}/change/")
    assert 'name="_save"' not in page
    for path in ("add/", f"{line.pk}/delete/"):
        assert desk.page(LOG + path).status_code == 403
    assert desk.post(f"/admin/{LOG}{line.pk}/change/", {"reason": "x"}).status_code == 403
    line.refresh_from_db()
    assert line.reason == ""


def test_the_page_of_an_entry_shows_before_and_after_coordinates_and_the_rest(desk, origin):
    placed = Origin(
        channel=Channel.API,
        actor=person("manager"),
        ip="192.0.2.7",
        latitude=Decimal("29.9602000"),
        longitude=Decimal("31.2569000"),
        reason="counted anew",
    )
    line = record(
        origin=placed,
        action=Action.APARTMENT_CHANGED,
        target=Apartment.objects.get(pk=2),
        block=Block.objects.get(pk=1),
        before={"floor": 0, "occupancy": "vacant"},
        after={"floor": 3, "occupancy": "lived_in"},
    )
    page = desk.text(f"{LOG}{line.pk}/change/")
    assert '<th scope="row">Floor</th><td><del dir="auto">0</del></td><td><ins dir="auto">3' in page
    assert '<del dir="auto">Vacant</del></td><td><ins dir="auto">Occupied</ins>' in page
    assert "https://www.openstreetmap.org/?mlat=29.9602&amp;mlon=31.2569" in page
    assert '<bdi dir="ltr">29.9602, 31.2569</bdi>' in page
    assert '<bdi dir="ltr">192.0.2.7</bdi>' in page
    assert "counted anew" in page
    assert f"?request={line.request_id}" in page


def test_all_entries_of_one_bulk_change_together(desk, origin):
    block = Block.objects.get(pk=1)
    units = [register_apartment(origin=origin, block=block, number=n, floor=1) for n in (71, 72)]
    lines = shown(desk, request=str(origin.request_id))
    assert [line.target_id for line in lines] == [units[1].pk, units[0].pk]
    assert shown(desk, request="nonsense") == []
    assert shown(desk, request=str(uuid.uuid4())) == []


def test_filters(desk, origin):
    block = Block.objects.get(pk=1)
    refused = record(
        origin=origin, action=Action.APARTMENT_REGISTERED, block=block, refused="block banned"
    )
    assert shown(desk, outcome="refused") == [refused]
    assert refused not in shown(desk, outcome="done")
    assert shown(desk, channel__exact="api") == [refused]
    assert {line.action for line in shown(desk, action=Action.MEMBERSHIP_STARTED)} == {
        Action.MEMBERSHIP_STARTED
    }
    assert {line.person_id for line in shown(desk, person="3")} == {3}
    assert refused in shown(desk, person="2")
    assert shown(desk, person="x") == []
    assert shown(desk, q="Rami")[0].person_id == 3
    today = timezone.localdate().isoformat()
    assert refused in shown(desk, at__range__gte=today, at__range__lte=today)
    assert shown(desk, at__range__lte="2020-01-01") == []


def test_a_day_is_the_viewers_day(desk, origin):
    # Half past ten in the evening UTC is the next day in Cairo.
    late = datetime(2024, 3, 5, 22, 30, tzinfo=UTC)
    line = entry(origin=origin, action=Action.SIGNED_IN, block=Block.objects.get(pk=1))
    line.at = late
    line.save()
    assert shown(desk, at__range__gte="2024-03-06", at__range__lte="2024-03-06") == [line]
    assert shown(desk, at__range__gte="2024-03-05", at__range__lte="2024-03-05") == []
    assert "6 Mar 2024, 00:30" in desk.text(f"{LOG}{line.pk}/change/")


def test_what_is_hidden_by_now_is_masked(desk, app):
    neighbour = Desk("neighbour")
    app("neighbour").add(blockId=2, apartmentId=11, phoneNumber="01155566677")
    (line,) = shown(neighbour, action=Action.CONTACT_ADDED)[:1]
    assert "01155566677" in neighbour.text(f"{LOG}{line.pk}/change/")
    SecondaryPhone.objects.filter(pk=line.target_id).update(hidden=True)
    assert "01155566677" not in neighbour.text(LOG)
    assert "01155566677" not in neighbour.text(f"{LOG}{line.pk}/change/")


def in_pages_of(desk):
    """What the reader of block 2 can see without opening a single contact."""
    pages = (LOG, "", f"{PEOPLE}9/change/", "buildings/apartment/11/change/")
    entries = [f"{LOG}{line.pk}/change/" for line in shown(desk, person=9)]
    texts = [desk.text(page) for page in (*pages, *entries)]
    return "".join(texts) + desk.post(f"/admin/{LOG}export/", {"format": "csv"}).content.decode()


@pytest.fixture
def newcomer(origin):
    """A resident of block 2 without a name: id 9."""
    user = register_user(
        origin=origin, id=9, email="victim@example.net", phone="01233333330", name=""
    )
    block = Block.objects.get(pk=2)
    start_membership(origin=origin, user=user, block=block, apartment=block.apartments.get(pk=11))
    return user


def test_who_has_no_name_leaves_no_contact_behind_as_a_name(newcomer):
    desk = Desk("neighbour")
    for contact in ("phone", "email"):
        desk.send(f"{PEOPLE}9/hide/?contact={contact}")
    seen = in_pages_of(desk)
    assert "#9" in seen
    assert "1233333330" not in seen and "victim" not in seen


def test_a_promotion_does_not_show_the_hidden_one_that_it_replaced(newcomer):
    desk = Desk("neighbour")
    desk.send(f"{PEOPLE}9/add-contact/", kind="email", typed="open@example.net")
    desk.send(f"{PEOPLE}9/hide/?contact=email")
    added = SecondaryEmail.objects.get(user=newcomer)
    desk.send(f"{PEOPLE}9/promote/?contact=email-{added.claim_id}")
    seen = in_pages_of(desk)
    assert "open@example.net" in seen
    assert "victim" not in seen


def test_a_hidden_contact_is_found_by_no_search_and_shown_by_no_page(newcomer):
    desk = Desk("neighbour")
    desk.send(f"{PEOPLE}9/add-contact/", kind="phone", typed="01233333331")
    added = SecondaryPhone.objects.get(user=newcomer)
    assert "01233333331" in desk.text("")
    assert shown(desk, q="01233") == []
    desk.send(f"{PEOPLE}9/hide/?contact=phone-{added.claim_id}", reason="she asked, by letter")
    assert "01233333331" not in in_pages_of(desk)
    assert [line.action for line in shown(desk, q="letter")] == [Action.CONTACT_HIDDEN]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("List", "Units", "Kind of file", "CSV", "Phones in full", "No")),
        ("ar", ("القائمة", "وحدات", "CSV", "لا")),
    ],
)
def test_the_entry_of_an_export_is_in_the_readers_words(desk, language, words):
    desk.post("/admin/buildings/apartment/export/", {"format": "csv", "reason": ""})
    line = Entry.objects.get(action=Action.EXPORTED)
    page = Desk("manager", language).text(f"{LOG}{line.pk}/change/").split('class="changes"')[1]
    page = page.split("</table>")[0]
    assert "apartment" not in page
    assert ">csv<" not in page
    for word in words[1:2] + ("CSV",):
        assert word in page, word


def test_the_filter_of_actions_offers_what_can_be_among_the_readers_entries(desk):
    def offered(name: str) -> set[str]:
        filters = Desk(name).page(LOG).context["cl"].filter_specs
        (actions,) = (each for each in filters if isinstance(each, ActionFilter))
        return {value for value, _label in actions.lookup_choices}

    assert {Action.APARTMENT_CHANGED, Action.EXPORTED, Action.NAME_CORRECTED} <= offered("manager")
    hidden = {Action.SIGNED_IN, Action.USER_ERASED, Action.LEGACY_CHAT}
    assert not hidden & offered("manager")
    assert offered("admin") >= {Action.SIGNED_IN, Action.USER_ERASED}
    LegacyRow.objects.create(table="Logs", key="1", imported={})
    assert Action.LEGACY_CHAT in offered("manager") & offered("admin")
    assert {line.action for line in shown(desk)} <= offered("manager")


def test_a_contact_within_a_reason_is_masked_wherever_entries_are_shown(desk):
    desk.send(
        "buildings/apartment/2/change/", floor="3", reason="as 01077777002 and r@example.net said"
    )
    entry = Entry.objects.latest("pk")
    pages = [f"{LOG}", f"{LOG}{entry.pk}/change/", "buildings/apartment/2/change/"]
    for page in pages:
        text = desk.get(f"/admin/{page}").content.decode()
        assert "01077777002" not in text and "r@example.net" not in text, page
    assert entry.reason == "as 01077777002 and r@example.net said"
    assert "7002 and r" in desk.get(f"/admin/{pages[1]}").content.decode()


# However they are written, one after the other.
IN_A_REASON = (
    *("Mona-01055599911", "ت01055599912", "phone01055599913", "wa_01055599917", "a01055599919b"),
    *(
        "010 - 5559 - 9914",
        "0105-55-99915",
        "010:5559:9916",
        "010*5559*9921",
        "(0105) (559) (9922)",
    ),
    *("0105/55/59924", "01 055 599 925", "01055599926 on 27/11/2026"[:11]),
    *("2026-01-01055599923", "mona\uff20example.org", "mona @example.org", "mona@example.org"),
    *(
        '"mona"@example.org',
        '"mona a"@example.org',
        "0105·559·9926",
        "0105;559;9927",
        "0105‧559‧9928",
    ),
)


@pytest.mark.parametrize("contact", IN_A_REASON)
def test_a_contact_is_masked_however_it_stands_in_a_text(contact):
    hidden = masked_contacts(f"as {contact} said on 2026-11-27 10:30 of 211 and 4 others")
    assert contact not in hidden and "mona" not in hidden.lower().replace("mona-", "")
    assert len(re.sub(r"\D", "", hidden.partition(" said")[0])) <= 4
    assert hidden.endswith("said on 2026-11-27 10:30 of 211 and 4 others")


PLAIN = "Sold on 12/05/2024, 1.6.2025 or 2024/05/12 10:30 for 1,500,000 EGP, unit 101; 1,001, 1,002, 1,003"


def test_dates_and_amounts_in_a_text_stay():
    assert masked_contacts(PLAIN) == PLAIN


def test_what_pages_mask_is_not_found_by_its_parts(desk, client):
    desk.send("buildings/apartment/2/change/", floor="3", reason="call 01055512345, nadia@post.org")
    for part in (
        "2345",
        "①②③④⑤",
        "¹²³⁴⁵",
        "12345",
        "01055512345",
        "nadia",
        "post.org",
        "nadia@post.org",
    ):
        assert shown(desk, q=part) == [], part
    client.post("/omartyapis/Auth/Login/", {"email": "01577712345", "password": "x"})
    client.post("/omartyapis/Auth/Login/", {"email": "sami@post.org", "password": "x"})
    boss = Desk("admin")
    for part in ("2345", "712345", "sami"):
        assert shown(boss, q=part, outcome="refused") == [], part


def test_a_reason_is_found(desk):
    desk.send("buildings/apartment/2/change/", floor="3", reason="counted by torchlight")
    assert [line.reason for line in shown(desk, q="torchlight")] == ["counted by torchlight"]


def test_an_entry_leads_to_what_it_is_about_where_the_reader_may_go(desk):
    line = Entry.objects.get(action=Action.MEMBERSHIP_STARTED, person_id=3)
    pages = [f"/admin/{each}/change/" for each in (
        "contacts/user/3", "buildings/apartment/2",
    )]  # fmt: skip
    text = desk.text(f"{LOG}{line.pk}/change/")
    assert [page for page in pages if f'href="{page}"' not in text] == []
    # Whose membership is gone altogether is no person of the reader's any more.
    Membership.objects.filter(user=3).delete()
    text = desk.text(f"{LOG}{line.pk}/change/")
    assert f'href="{pages[0]}"' not in text
    assert "Rami Resident" in text


def test_paging_walks_through_all_without_counting(desk, origin):
    fill(origin, 250, Block.objects.get(pk=1))
    # Of the demo, one change, the newest stands for all.
    newest = Entry.objects.filter(block_id=1).values("request_id").annotate(newest=Max("pk"))
    every = sorted((each["newest"] for each in newest), reverse=True)
    assert len(every) > 250
    seen: list[int] = []
    query: dict[str, int] = {}
    while True:
        with CaptureQueriesContext(connection) as asked:
            page = desk.page(LOG, **query)
        of_entries = [each["sql"].upper() for each in asked if "AUDIT_ENTRY" in each["sql"].upper()]
        assert of_entries and not [sql for sql in of_entries if "COUNT(" in sql]
        rows = [line.pk for line in page.context["cl"].result_list]
        seen += rows
        if not page.context["cl"].older_link:
            break
        query = {"older": rows[-1]}
    assert seen == every
    back = shown(desk, newer=seen[150])
    assert [line.pk for line in back] == seen[50:150]
    assert "older" not in page.context["cl"].newest_link


def cells(desk, **query):
    """The texts of the list's first row, without marks and markup."""
    row = desk.text(LOG, **query).split("<tbody>")[1].split("</tr>")[0]
    plain = re.sub(r"<[^>]+>|[\u2066-\u2069]", " ", row)
    return re.sub(r"\s+", " ", plain)


def test_the_list_says_what_changed(desk):
    desk.send("buildings/apartment/2/change/", floor="12", occupancy="vacant")
    assert "Floor 0 → 12, Occupancy Occupied → Vacant" in cells(desk)
    assert "Unit edited" in cells(desk)
    desk.send("buildings/membership/2/role/", role="cashier")
    assert "Role Resident → Cashier" in cells(desk)


def test_a_change_of_many_entries_is_one_line_that_opens(desk):
    path = "buildings/block/1/add-floors/"
    typed = {"lowest": "5", "highest": "8", "per_floor": "4", "numbering": "by_floor"}
    desk.post(f"/admin/{path}", fields_of(desk.send(path, **typed)))
    newest = Entry.objects.latest("pk")
    line, *others = shown(desk)
    assert line.pk == newest.pk
    assert newest.request_id not in {each.request_id for each in others}
    text = cells(desk)
    assert "Unit registered (16)" in text and "All 16 entries" in text and "Block 1" in text
    assert f"?request={newest.request_id}" in desk.text(LOG)
    opened = shown(desk, request=str(newest.request_id))
    assert len(opened) == 16
    assert "Unit registered" in cells(desk, request=str(newest.request_id))
    assert f"/admin/{LOG}{newest.pk}/undo/" in desk.text(LOG, request=str(newest.request_id))
    assert "/undo/" not in desk.text(LOG)


def test_of_a_filtered_list_a_line_stands_for_what_is_in_it(desk, origin):
    block = Block.objects.get(pk=1)
    for number in (71, 72):
        register_apartment(origin=origin, block=block, number=number, floor=1)
    unit = Apartment.objects.get(number=71)
    record(origin=origin, action=Action.APARTMENT_CHANGED, target=unit, block=block)
    assert "All 3 entries" in cells(desk)
    assert "Unit registered (2)" in cells(desk, action=Action.APARTMENT_REGISTERED)
    (edited,) = shown(desk, action=Action.APARTMENT_CHANGED)
    assert edited.together is None


def test_entries_of_the_legacy_log_stand_for_themselves(desk, origin):
    old = replace(origin, channel=Channel.LEGACY)
    block = Block.objects.get(pk=1)
    for _ in range(3):
        record(origin=old, action=Action.LEGACY_CHAT, block=block)
    assert [line.together for line in shown(desk)[:3]] == [None] * 3


def test_the_label_of_a_membership_is_in_no_language():
    arabic = Desk("manager", language="ar")
    arabic.send("buildings/membership/2/role/", role="cashier")
    entry = Entry.objects.latest("pk")
    assert (entry.target_label, entry.after) == ("Rami Resident", {"role": "cashier"})
    assert "Resident → Cashier" in cells(Desk("manager"))
    assert "Cashier" not in cells(arabic)


def test_who_waits_or_is_banned_does_not_stand_as_if_living_there(desk):
    units = desk.text("buildings/apartment/")
    people = desk.text(PEOPLE)
    assert "Pakinam Pending (Pending), Bassem Banned (Banned)" in units
    assert "unit 3 (Pending)" in people and "unit 3 (Banned)" in people
    assert "unit 2 (" not in people and "Rami Resident, Parisa Partner" in units


@pytest.fixture
def archived(tmp_path, settings):
    """The demo's log in an archive, beside a seal file of its own."""
    log = Log(tmp_path)
    settings.AUDIT_SEAL_FILE = log.file
    log.seal()
    assert log.run("audit_archive", "--before=2999-01-01")["exit"] == 0
    return log


ARCHIVES = f"{LOG}archives/"


def test_archived_entries_are_looked_up_by_superusers(archived, new_entries):
    boss = Desk("admin")
    assert "Rami Resident" not in boss.text(LOG)
    (archive,) = {each.archive for each in Seal.objects.all()}
    assert archive in boss.text(ARCHIVES)
    page = boss.text(ARCHIVES, archive=archive, q="rami RESIDENT")
    assert "2 entries found." in page and "Rami Resident" in page and "Parisa" not in page
    assert "0 entries found." in boss.text(ARCHIVES, archive=archive, q="nobody-of-that-name")
    # Contacts are not searched.
    assert "0 entries found." in boss.text(ARCHIVES, archive=archive, q="01000000002")
    assert new_entries() == []
    assert boss.post(f"/admin/{ARCHIVES}", {"archive": archive}).status_code == 405
    assert Desk("manager").page(ARCHIVES).status_code == 403


def test_an_archive_that_is_gone_or_spoilt_is_told(archived):
    boss = Desk("admin")
    archive = Seal.objects.earliest("pk").archive
    (archived.archives / archive).write_bytes(b"x")
    assert "cannot be read from here" in boss.text(ARCHIVES, archive=archive, q="Rami")
    (archived.archives / archive).unlink()
    assert "cannot be read from here" in boss.text(ARCHIVES, archive=archive, q="Rami")
    # What is no archive is none of the choices.
    assert "Select a valid choice" in boss.text(ARCHIVES, archive="../../etc/passwd", q="x")


def test_without_archives_the_page_says_so():
    assert "No entries have been archived." in Desk("admin").text(ARCHIVES)


def test_the_list_asks_as_much_with_ten_times_the_entries(desk, origin):
    fill(origin, 100, Block.objects.get(pk=1))
    with CaptureQueriesContext(connection) as few:
        assert len(shown(desk)) == 100
    fill(origin, 900, Block.objects.get(pk=1))
    with CaptureQueriesContext(connection) as many:
        assert len(shown(desk)) == 100
    assert len(many) == len(few) <= 12


def test_an_empty_list_says_what_to_do(desk):
    assert "Show the whole list" in desk.text(LOG, outcome="refused")
