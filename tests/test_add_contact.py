"""AddContact, row by row of contract/answers.md."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test import override_settings

from audit.models import Action
from buildings.models import Membership, Role
from contacts.models import SecondaryEmail, SecondaryPhone, Status, User
from tests.conftest import person


@pytest.fixture
def refuses(resident, nothing_changed, new_entries):
    """Posts fields that must get this answer, and looks that no row moved."""

    def refuses(message, status=200, app=resident, recorded=None, **fields):
        sent = {"blockId": 1, "apartmentId": 2, "phoneNumber": "01122334455"} | fields
        response = app.post("Update", {"api": "AddContact", **sent})
        assert response.status_code == status
        assert response.json() == {"status": status, "message": message}
        assert nothing_changed()
        entries = new_entries()
        if recorded is None:
            assert entries == []
        else:
            [entry] = entries
            assert (entry.action, entry.refused) == (Action.CONTACT_ADDED, recorded)
            assert entry.actor_id == app.person.pk
        return entries

    return refuses


def of(name):
    """What the database holds of a person's contacts: typed secondaries, claims."""
    user = person(name)
    secondaries = [
        *SecondaryEmail.objects.filter(user=user).values_list("typed", flat=True),
        *SecondaryPhone.objects.filter(user=user).values_list("typed", flat=True),
    ]
    return secondaries, sorted(user.claims.values_list("value", flat=True))


# --- the examples of the document ------------------------------------------------------------------


def replayed(resident, **fields):
    """The document's request: multipart, empty fields sent as empty."""
    sent = {"phoneNumber": "", "email": "", "longitude": "121.12221", "latitude": "20.233"} | fields
    response = resident.post(
        "Update", {"api": "AddContact", "blockId": 1, "apartmentId": 2, **sent}
    )
    assert response.status_code == 200
    return response.json()


@pytest.fixture
def resident_of_a_new_server(app, commits):
    """Ids begin at 1 only where no contact was ever added: the tables' counters are wound back."""
    extra = [*SecondaryEmail.objects.all(), *SecondaryPhone.objects.all()]
    for contact in extra:
        contact.delete()
        contact.claim.delete()
    with connection.cursor() as cursor:
        for model in (SecondaryEmail, SecondaryPhone):
            table = model._meta.db_table
            if connection.vendor == "sqlite":
                cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
            else:
                cursor.execute(f"ALTER TABLE {table} AUTO_INCREMENT = 1")
    return app("resident")


def test_the_examples_of_the_document_are_answered_to_the_letter(
    resident_of_a_new_server, new_entries
):
    resident = resident_of_a_new_server
    assert replayed(resident, email="Test.Test@Test.com") == {
        "status": 200,
        "data": {"1": {"id": "1", "email": "Test.Test@Test.com"}},
    }
    both = {
        "1": {"id": "1", "email": "Test.Test@Test.com"},
        "2": {"id": "1", "phoneNum": "01122334455"},
    }
    assert replayed(resident, phoneNumber="01122334455") == {"status": 200, "data": both}
    assert replayed(resident, email="Other@Test.com", phoneNumber="01122334456") == {
        "status": 200,
        "message": both | {"error": "No Data Inserted."},
    }
    assert replayed(resident, blockId="") == {"status": 200, "message": "Please enter Block ID."}
    wrong = resident.post("Update", {"api": "Foo"})
    assert wrong.json() == {"status": 404, "message": "Method Update::Foo() does not exist"}
    assert len(new_entries()) == 2


# --- success ---------------------------------------------------------------------------------------


def test_a_resident_adds_a_phone(resident, new_entries):
    answer = resident.add(
        phoneNumber="01122334455", blockId=1, apartmentId=2, longitude="31.5", latitude="-0.25"
    )
    phone = SecondaryPhone.objects.get(user=resident.person)
    assert answer == {
        "status": 200,
        "data": {"1": {"id": str(phone.pk), "phoneNum": "01122334455"}},
    }
    assert of("resident") == (
        ["01122334455"],
        ["+201000000002", "+201122334455", "resident@example.org"],
    )
    [entry] = new_entries()
    assert (entry.action, entry.refused) == (Action.CONTACT_ADDED, "")
    assert (entry.target_type, entry.target_id) == ("secondaryphone", phone.pk)
    assert entry.target_label == "01122334455"
    assert (entry.actor_id, entry.person_id) == (resident.person.pk, resident.person.pk)
    assert (entry.block_id, entry.block_label) == (1, "1")
    assert (entry.apartment_id, entry.apartment_label) == (2, "2")
    assert (entry.longitude, entry.latitude) == (Decimal("31.5"), Decimal("-0.25"))
    assert entry.ip == "127.0.0.1"


@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded"])
def test_json_and_urlencoded_bodies_serve_as_well(resident, content_type):
    body: object
    if content_type == "application/json":
        body = {"api": "ADDCONTACT", "email": "a@b.example", "blockId": 1, "apartmentId": "2"}
    else:
        body = "api=AddContact&email=a%40b.example&blockId=1&apartmentId=2"
    answer = resident.post("Update", body, content_type=content_type).json()
    assert answer["data"]["1"]["email"] == "a@b.example"


def test_contacts_are_listed_emails_first_each_in_the_order_added(resident):
    for fields in (
        {"phoneNumber": "01122334455"},
        {"email": "z@example.org"},
        {"phoneNumber": "01122334456"},
        {"email": "a@example.org"},
    ):
        answer = resident.add(blockId=1, apartmentId=2, **fields)
    assert [list(each.values())[1] for each in answer["data"].values()] == [
        "z@example.org",
        "a@example.org",
        "01122334455",
        "01122334456",
    ]
    assert list(answer["data"]) == ["1", "2", "3", "4"]


@pytest.mark.parametrize("who", ["resident", "partner"])
def test_every_resident_of_a_shared_unit_may(app, who):
    assert "data" in app(who).add(phoneNumber="01122334455", blockId=1, apartmentId=2)


def test_a_manager_may_as_well(manager):
    assert "data" in manager.add(phoneNumber="01122334455", blockId=1, apartmentId=1)


@pytest.mark.parametrize(
    ("typed", "returned"),
    [
        ("  ٠١١٢٢٣٣٤٤٥٥ ", "01122334455"),
        ("+20 112 233 4455", "+20 112 233 4455"),
        ("0020 112 233 4455", "0020 112 233 4455"),
        ("\u202a01122334455\u202c", "01122334455"),
        ("(011) 2233-4455", "(011) 2233-4455"),
        ("+1 202-555-0143", "+1 202-555-0143"),
        ("\u200b011\ufeff22334455\u2069", "01122334455"),
        ("tel:+20 112 233 4455", "tel:+20 112 233 4455"),
        ("01122334455 ext 5", "01122334455 ext 5"),
    ],
)
def test_a_phone_comes_back_as_typed_with_western_digits(resident, typed, returned):
    answer = resident.add(phoneNumber=typed, blockId=1, apartmentId=2)
    assert answer["data"]["1"]["phoneNum"] == returned


def test_an_email_comes_back_as_typed(resident):
    answer = resident.add(email="  Some.One\u200f@Example.ORG\u202c ", blockId=1, apartmentId=2)
    assert answer["data"]["1"]["email"] == "Some.One@Example.ORG"


# --- rows 1 and 2 ----------------------------------------------------------------------------------


@pytest.mark.parametrize("empty", ["", " "])
def test_row_1_an_empty_id_is_asked_for(refuses, empty):
    refuses("Please enter Block ID.", blockId=empty, apartmentId=empty)
    refuses("Please enter Block ID.", blockId=empty, apartmentId="x")
    refuses("Please enter Apartment ID.", apartmentId=empty, blockId="x")


@pytest.mark.parametrize("value", ["0", "-1", "x", "1.0", "9" * 400])
def test_row_2_a_malformed_id_is_refused(refuses, value):
    refuses("Please enter a valid Block ID.", blockId=value, apartmentId=value)
    refuses("Please enter a valid Apartment ID.", apartmentId=value)


def test_a_malformed_location_is_refused(refuses):
    refuses("Please enter a valid longitude.", longitude="east", latitude="x")
    refuses("Please enter a valid latitude.", latitude="91")


# --- rows 3 to 8 -----------------------------------------------------------------------------------


def test_row_3_an_unknown_block(refuses):
    [entry] = refuses("Block Not Found.", status=401, blockId=999, recorded="block unknown")
    assert (entry.block_id, entry.block_label) == (999, "")


@pytest.mark.parametrize("who", ["outsider", "neighbour"])
def test_row_4_a_stranger_to_the_block(refuses, app, who):
    refuses(
        "User doesn't have any relation to this block.",
        status=401,
        app=app(who),
        recorded="no membership in the block",
    )


def test_row_4_who_has_moved_out_is_a_stranger(app):
    membership = Membership.objects.get(user=person("resident"))
    Membership.objects.filter(pk=membership.pk).update(ended_at=membership.started_at)
    answer = app("resident").add(phoneNumber="01122334455", blockId=1, apartmentId=2)
    assert answer == {"status": 401, "message": "User doesn't have any relation to this block."}


def test_row_5_a_pending_block(refuses, manager):
    refuses(
        "Block status is still Binding.",
        app=manager,
        blockId=3,
        apartmentId=21,
        recorded="block pending",
    )


def test_row_5_a_banned_block_before_the_unit_is_looked_at(refuses, manager):
    refuses("Block is Banned.", app=manager, blockId=4, apartmentId=999, recorded="block banned")


@pytest.mark.parametrize("unit", [11, 999])
def test_row_6_a_unit_that_is_not_in_the_block(refuses, unit):
    refuses("apartment not found in block", apartmentId=unit, recorded="unit not in the block")


def test_row_7_a_unit_that_is_not_the_callers(refuses):
    refuses(
        "Resident does not relate to this apartment.",
        status=406,
        apartmentId=1,
        recorded="no membership in the unit",
    )


def test_row_8_a_pending_membership(refuses, app):
    refuses(
        "Apartment status is still binding.",
        app=app("pending"),
        apartmentId=3,
        recorded="membership pending",
    )


def test_row_8_a_banned_membership(refuses, app):
    refuses("Apartment is Banned.", app=app("banned"), apartmentId=3, recorded="membership banned")


def test_row_8_one_active_role_in_the_unit_is_enough(app):
    Membership.objects.create(
        user=person("banned"), block_id=1, apartment_id=3, role=Role.VENDOR, status=Status.ACTIVE
    )
    assert "data" in app("banned").add(phoneNumber="01122334455", blockId=1, apartmentId=3)


# --- rows 9 to 13 ----------------------------------------------------------------------------------


def error(text, **contacts):
    return {**contacts, "error": text}


@pytest.mark.parametrize(
    "fields",
    [
        {"phoneNumber": "01122334455", "email": "a@example.org"},
        {"phoneNumber": "", "email": ""},
        {"phoneNumber": "", "email": "  "},
    ],
)
def test_row_9_both_or_neither(refuses, fields):
    refuses(error("No Data Inserted."), **fields)


def test_row_9_lists_the_callers_contacts(resident):
    added = resident.add(email="a@example.org", blockId=1, apartmentId=2)["data"]
    assert resident.add(blockId=1, apartmentId=2) == {
        "status": 200,
        "message": added | {"error": "No Data Inserted."},
    }


@pytest.mark.parametrize(
    "phone",
    [
        "x",
        "12",
        "-1155500026",
        "011\n22334455",
        "112233",
        "0112233",
        "0112233445566778",
        "1-800-FLOWERS",
        "01122334455 ext 1234567",
        "0105550016",
        "01305550016",
        "+20 16 5550 0016",
        "0155 550 016",
        "O1055500076",
        "1.05E+10",
        "227370117.5",
        "27370011/27370012",
        "27370011/2",
        "2273701170",
        "+",
        "٠",
        "0" * 300,
    ],
)
def test_row_10_not_a_possible_phone_number(refuses, phone):
    refuses(error("Phone number is not valid."), phoneNumber=phone)


@pytest.mark.parametrize(
    "email",
    [
        "x",
        "a@",
        "@b.example",
        "a b@c.example",
        "a@b",
        "a@b..c",
        "re\u017fident@example.org",
        "res\u0131dent@example.org",
        '"a\x01b"@c.example',
        "ab" * 130 + "@c.example",
    ],
)
def test_row_10_not_an_email_address(refuses, email):
    refuses(error("Email is not valid."), phoneNumber="", email=email)


@pytest.mark.parametrize(
    "phone", ["01000000002", "+201000000002", "0020 100 000 0002", "٠١٠٠٠٠٠٠٠٠٢"]
)
def test_row_11_the_callers_own_primary_phone(refuses, phone):
    refuses(error("Phone number already set for you"), phoneNumber=phone)


def test_row_11_the_callers_own_primary_email(refuses):
    refuses(error("Email already set for you"), phoneNumber="", email=" RESIDENT@example.org")


def test_row_11_the_callers_own_secondary_in_another_spelling(resident, new_entries):
    first = resident.add(phoneNumber="01122334455", blockId=1, apartmentId=2)["data"]
    second = resident.add(phoneNumber="+20 112 233 4455", blockId=1, apartmentId=2)
    assert second["message"] == first | {"error": "Phone number already set for you"}
    assert SecondaryPhone.objects.filter(user=resident.person).count() == 1
    assert len(new_entries()) == 1


@pytest.mark.parametrize("phone", ["01000000003", "01100000007", "+20 120 000 0007"])
def test_row_12_another_persons_phone_primary_or_secondary(refuses, phone):
    refuses(error("Phone number already set for another user"), phoneNumber=phone)


@pytest.mark.parametrize("email", ["partner@example.org", "NEIGHBOUR.work@example.org"])
def test_row_12_another_persons_email_primary_or_secondary(refuses, email):
    refuses(error("Email already set for another user"), phoneNumber="", email=email)


@override_settings(SECONDARY_CONTACTS_LIMIT=2)
def test_row_13_no_more_than_the_limit_of_one_kind(resident):
    for number in (1, 2):
        added = resident.add(phoneNumber=f"0112233445{number}", blockId=1, apartmentId=2)["data"]
    refused = resident.add(phoneNumber="01122334459", blockId=1, apartmentId=2)
    assert refused["message"] == added | {"error": "Contacts limit reached."}
    assert SecondaryPhone.objects.filter(user=resident.person).count() == 2
    # Row 12 is checked before row 13, and the other kind has its own limit.
    taken = resident.add(phoneNumber="01000000003", blockId=1, apartmentId=2)
    assert taken["message"]["error"] == "Phone number already set for another user"
    assert "data" in resident.add(email="a@example.org", blockId=1, apartmentId=2)


def test_a_primary_without_email_or_phone_still_adds(resident):
    User.objects.filter(pk=resident.person.pk).update(email=None)
    assert "data" in resident.add(email="a@example.org", blockId=1, apartmentId=2)
