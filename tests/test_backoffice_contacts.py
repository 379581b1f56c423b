"""Contacts in the back-office: editing, adding, removing, hiding, promoting, unmasking."""

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from audit.models import Channel, Entry
from audit.operations import Origin
from buildings.models import Membership, Role
from contacts.contact_operations import Contact, contacts_of, hide_contact
from contacts.models import HIDDEN, Claim, Kind, SecondaryEmail, SecondaryPhone, User
from contacts.operations import correct_name
from tests.backoffice import Desk, fields_of, told
from tests.conftest import person

RESIDENT = "contacts/user/3/"


@pytest.fixture
def desk():
    return Desk("manager")


@pytest.fixture
def phone(app):
    """A secondary phone of the resident."""
    app("resident").add(blockId=1, apartmentId=2, phoneNumber="01222222222")
    return SecondaryPhone.objects.get(user=3)


def resident() -> User:
    return User.objects.get(pk=3)


def held(kind: Kind) -> list[str]:
    return sorted(Claim.objects.filter(user=3, kind=kind).values_list("value", flat=True))


def test_a_mistyped_primary_phone_is_edited(desk, new_entries):
    response = desk.send(f"{RESIDENT}edit/?contact=phone", typed="٠١٠ ٩٩٩٩ ٩٩٩٩", reason="typo")
    assert told(response) == "The contact was edited."
    assert resident().phone == "010 9999 9999"
    # The former one signs in for three days.
    assert held(Kind.PHONE) == ["+201000000002", "+201099999999"]
    (line,) = new_entries()
    assert (line.action, line.person_id, line.block_id, line.apartment_id) == (
        "contact.changed", 3, 1, 2,
    )  # fmt: skip
    assert (line.before, line.after) == ({"phone": "01000000002"}, {"phone": "010 9999 9999"})
    assert line.reason == "typo"


def test_the_edited_one_is_for_sign_in(desk, client):
    desk.send(f"{RESIDENT}edit/?contact=email", typed="rami@example.org")
    answer = client.post(
        "/omartyapis/Auth/Login/", {"email": "rami@example.org", "password": "omarty-demo"}
    )
    assert answer.json()["data"]["Data"]["email"] == "rami@example.org"


def test_a_secondary_one_is_edited(desk, phone, new_entries):
    desk.send(f"{RESIDENT}edit/?contact=phone-{phone.claim_id}", typed="01233333333")
    phone.refresh_from_db()
    assert phone.typed == "01233333333"
    assert held(Kind.PHONE) == ["+201000000002", "+201233333333"]
    assert (new_entries()[-1].target_type, new_entries()[-1].target_id) == (
        "secondaryphone", phone.pk,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("01000000007", "Somebody holds it already."),
        ("+20 110 000 0007", "Somebody holds it already."),
        ("01222222222", "This person has it already."),
        (
            "12",
            "This is not a phone number: it is too short, or the code of its city is missing.",
        ),
        (
            "0105550016",
            "This is not a phone number: a mobile number in Egypt has 11 digits, and begins with 010, 011,"
            " 012 or 015.",
        ),
        ("O1055500076", "This is not a phone number: there are letters in it."),
        ("", "This field is required."),
    ],
)
def test_a_phone_that_cannot_be_is_refused_beside_the_field(desk, phone, typed, words, new_entries):
    response = desk.send(f"{RESIDENT}edit/?contact=phone", typed=typed)
    assert response.context["form"].errors["typed"] == [words]
    assert resident().phone == "01000000002"
    # That somebody else holds it is told a few times a day, and recorded: see test_reach.py.
    recorded = ["contact held by somebody else"] if words == "Somebody holds it already." else []
    assert [entry.refused for entry in new_entries()] == recorded


@pytest.mark.parametrize("typed", ["01000000002", " 01000000002 ", "٠١٠٠٠٠٠٠٠٠٢"])
def test_the_same_phone_is_no_change(desk, typed, new_entries):
    response = desk.send(f"{RESIDENT}edit/?contact=phone", typed=typed)
    assert told(response) == "No changes."
    assert new_entries() == []
    # Another spelling of it is a change.
    response = desk.send(f"{RESIDENT}edit/?contact=phone", typed="010 0000 0002")
    assert told(response) == "The contact was edited."
    assert new_entries()[-1].after == {"phone": "010 0000 0002"}


def test_a_contact_that_is_hidden_already_is_not_hidden_again(new_entries):
    contact = Contact(resident(), Kind.PHONE)
    origin = Origin(channel=Channel.COMMAND, actor_label="test")
    assert hide_contact(origin=origin, contact=contact, hidden=True)
    assert not hide_contact(origin=origin, contact=contact, hidden=True)
    assert len(new_entries()) == 1


def test_who_hides_nothing_has_nothing_to_reveal(desk, new_entries):
    answer = desk.page(f"{RESIDENT}reveal/")
    assert (answer.url, told(answer)) == (
        f"/admin/{RESIDENT}change/", "Rami Resident hides no contact.",
    )  # fmt: skip
    assert new_entries() == []


def test_a_contact_is_added(desk, new_entries):
    response = desk.send(f"{RESIDENT}add-contact/", kind="email", typed="Rami.Two@example.org")
    assert told(response) == "The contact was added."
    assert SecondaryEmail.objects.get(user=3).typed == "Rami.Two@example.org"
    (line,) = new_entries()
    assert (line.action, line.channel, line.block_id) == ("contact.added", "back_office", 1)


def test_one_too_many_or_a_taken_one_is_refused_beside_the_field(desk, settings, phone):
    settings.SECONDARY_CONTACTS_LIMIT = 1
    for typed, words in {
        "01244444444": "This person has as many contacts as allowed.",
        "01000000007": "Somebody holds it already.",
    }.items():
        response = desk.send(f"{RESIDENT}add-contact/", kind="phone", typed=typed)
        assert response.context["form"].errors["typed"] == [words]


def test_a_secondary_one_is_removed_and_free_again(desk, phone, app, new_entries):
    key = f"phone-{phone.claim_id}"
    desk.send(f"{RESIDENT}remove/?contact={key}", reason="not theirs")
    assert held(Kind.PHONE) == ["+201000000002"]
    assert not SecondaryPhone.objects.filter(user=3).exists()
    line = new_entries()[-1]
    assert (line.action, line.before, line.reason) == (
        "contact.removed", {"phone": "01222222222"}, "not theirs",
    )  # fmt: skip
    assert app("partner").add(blockId=1, apartmentId=2, phoneNumber="01222222222")["data"]


def test_a_secondary_one_becomes_the_primary_and_the_other_way_round(desk, phone, new_entries):
    desk.send(f"{RESIDENT}promote/?contact=phone-{phone.claim_id}")
    assert resident().phone == "01222222222"
    (now,) = SecondaryPhone.objects.filter(user=3)
    assert (now.typed, now.claim.value) == ("01000000002", "+201000000002")
    assert held(Kind.PHONE) == ["+201000000002", "+201222222222"]
    line = new_entries()[-1]
    assert (line.action, line.before, line.after) == (
        "contact.promoted", {"phone": "01000000002"}, {"phone": "01222222222"},
    )  # fmt: skip


def test_without_a_primary_the_promoted_one_is_secondary_no_more(desk, phone):
    Claim.objects.filter(value="+201000000002").delete()
    User.objects.filter(pk=3).update(phone=None)
    desk.send(f"{RESIDENT}promote/?contact=phone-{phone.claim_id}")
    assert resident().phone == "01222222222"
    assert not SecondaryPhone.objects.filter(user=3).exists()
    assert held(Kind.PHONE) == ["+201222222222"]


def test_a_hidden_contact_is_masked_and_unmasked_with_a_reason(desk, phone, new_entries):
    desk.send(f"{RESIDENT}hide/?contact=phone")
    desk.send(f"{RESIDENT}hide/?contact=phone-{phone.claim_id}")
    assert resident().phone_hidden
    for path in ("contacts/user/", f"{RESIDENT}change/", "buildings/apartment/2/change/"):
        page = desk.text(path)
        assert "01000000002" not in page, path
        assert "01222222222" not in page, path
    assert HIDDEN in desk.text(f"{RESIDENT}change/")
    assert "reason" in desk.send(f"{RESIDENT}reveal/").context["form"].errors
    response = desk.send(f"{RESIDENT}reveal/", reason="water leaks into the flat")
    assert "01000000002" in response.content.decode()
    assert "01222222222" in response.content.decode()
    line = new_entries()[-1]
    assert (line.action, line.reason) == ("contact.revealed", "water leaks into the flat")
    assert (line.person_id, line.block_id, line.actor_id) == (3, 1, 2)
    # Once only: the next page masks it again.
    assert "01000000002" not in desk.text(f"{RESIDENT}change/")


def test_histories_show_what_is_visible_and_mask_the_rest_as_the_log_does(desk, phone):
    """The page of the person, of their unit, and of the entry: one function, one answer."""
    desk.send(f"{RESIDENT}edit/?contact=phone-{phone.claim_id}", typed="01233333333")
    (line,) = Entry.objects.filter(action="contact.changed")
    pages = (
        f"{RESIDENT}change/",
        "buildings/apartment/2/change/",
        f"audit/entry/{line.pk}/change/",
    )
    for path in pages:
        assert "01222222222" in desk.text(path), path
        assert "Phone" in desk.text(path)
    desk.send(f"{RESIDENT}hide/?contact=phone-{phone.claim_id}")
    for path in pages:
        assert "01222222222" not in desk.text(path), path
        assert "01233333333" not in desk.text(path), path
    desk.send(f"{RESIDENT}show/?contact=phone-{phone.claim_id}", reason="asked")
    desk.send(f"{RESIDENT}remove/?contact=phone-{phone.claim_id}")
    for path in pages:
        assert "01222222222" not in desk.text(path), path


def test_a_history_names_a_contact_in_the_readers_words(desk):
    desk.send(f"{RESIDENT}edit/?contact=email", typed="rami@example.org")
    told_in = Desk("manager", "ar").text(f"{RESIDENT}change/").split("record-table history")[1]
    assert "Email" not in told_in
    assert "rami@example.org" in told_in


def test_who_has_no_name_is_not_called_by_a_hidden_contact(desk):
    User.objects.filter(pk=3).update(name="", email_hidden=True, phone_hidden=True)
    for path in ("contacts/user/", "buildings/membership/", "buildings/apartment/2/change/"):
        page = desk.text(path)
        assert "resident@example.org" not in page
        assert "01000000002" not in page
        assert "#3" in page


def test_a_hidden_one_is_shown_again_with_a_reason(desk, new_entries):
    User.objects.filter(pk=3).update(phone_hidden=True)
    assert desk.page(f"{RESIDENT}edit/?contact=phone").status_code == 404
    assert "reason" in desk.send(f"{RESIDENT}show/?contact=phone").context["form"].errors
    desk.send(f"{RESIDENT}show/?contact=phone", reason="asked by letter")
    assert not resident().phone_hidden
    assert new_entries()[-1].after == {"phone_hidden": False}


def test_the_second_to_edit_is_shown_what_the_first_made_of_it(desk, new_entries):
    path = f"{RESIDENT}edit/?contact=phone"
    second = Desk("admin")
    opened = second.page(path)
    desk.send(path, typed="01011111111")
    response = second.resend(path, opened, typed="01099999999")
    assert "Mona Manager changed this meanwhile to “01011111111”" in response.content.decode()
    assert resident().phone == "01011111111"
    assert fields_of(response)["typed"] == "01099999999"
    assert len(new_entries()) == 1


@pytest.mark.parametrize("key", ["phone-999", "email-1", "", "x", "phone-x"])
def test_what_is_no_contact_of_the_person_is_unknown(desk, key, new_entries):
    for action in ("edit", "hide", "promote", "remove"):
        assert desk.page(f"{RESIDENT}{action}/?contact={key}").status_code == 404
        answer = desk.post(f"/admin/{RESIDENT}{action}/?contact={key}", {"typed": "01011111111"})
        assert told(answer).splitlines()[-1] == "This contact is no longer there."
    assert new_entries() == []


def test_a_primary_one_is_neither_removed_nor_promoted(desk):
    for action in ("remove", "promote"):
        assert desk.page(f"{RESIDENT}{action}/?contact=phone").status_code == 404


def test_a_misspelt_name_is_corrected(desk, new_entries):
    answer = desk.send(f"{RESIDENT}name/", name=" Rami Rashad ", reason="misspelt")
    assert told(answer) == "The name was corrected."
    assert resident().name == "Rami Rashad"
    (line,) = new_entries()
    assert (line.action, line.person_id, line.block_id, line.apartment_id) == (
        "user.name_corrected", 3, 1, 2,
    )  # fmt: skip
    assert (line.before, line.after) == ({"name": "Rami Resident"}, {"name": "Rami Rashad"})
    assert line.reason == "misspelt"
    assert "Rami Rashad" in desk.text("buildings/apartment/2/change/")


def test_the_same_name_or_none_is_no_correction(desk, new_entries):
    answer = desk.send(f"{RESIDENT}name/", name="Rami Resident")
    assert told(answer) == "No changes."
    for name in ("", "  ", "x" * 256):
        answer = desk.send(f"{RESIDENT}name/", name=name)
        assert "name" in answer.context["form"].errors
    with pytest.raises(ValidationError, match="A person needs a name"):
        correct_name(
            origin=Origin(channel=Channel.COMMAND, actor_label="test"), user=resident(), name=" "
        )
    assert resident().name == "Rami Resident"
    assert new_entries() == []


def test_the_second_to_correct_a_name_is_shown_what_the_first_made_of_it(desk, new_entries):
    path = f"{RESIDENT}name/"
    opened = Desk("admin").page(path)
    desk.send(path, name="Rami Rashad")
    answer = Desk("admin").resend(path, opened, name="Ramy Resident")
    assert "Mona Manager changed this meanwhile to “Rami Rashad”" in answer.content.decode()
    assert resident().name == "Rami Rashad"
    assert len(new_entries()) == 1


@pytest.mark.parametrize("action", ["name", "edit", "add-contact", "hide", "reveal"])
@pytest.mark.parametrize("whose", ["superuser", "pending", "former"])
def test_whose_contacts_a_manager_leaves_alone(desk, action, whose, new_entries):
    """A superuser's, those of one who merely asks to belong, and of one who has left."""
    if whose == "superuser":
        Membership.objects.create(user_id=1, block_id=1, role=Role.RESIDENT, status="active")
    if whose == "former":
        Membership.objects.filter(user=3).update(ended_at=timezone.now())
    person = {"superuser": 1, "pending": 5, "former": 3}[whose]
    assert desk.page(f"contacts/user/{person}/change/").status_code == 200
    path = f"/admin/contacts/user/{person}/{action}/?contact=email"
    sent = {"typed": "mine@example.org", "kind": "email", "name": "Mine", "reason": "x"}
    assert desk.post(path, sent).status_code == 403
    assert new_entries() == []


def test_a_person_can_be_changed_in_no_other_way(desk, new_entries):
    sent = {"name": "Me", "is_superuser": "on", "status": "banned", "password": "x"}
    assert desk.post(f"/admin/{RESIDENT}change/", sent).status_code == 403
    assert desk.post("/admin/contacts/user/add/", sent).status_code == 403
    assert desk.post(f"/admin/{RESIDENT}delete/", {"post": "yes"}).status_code == 403
    assert not resident().is_superuser
    assert new_entries() == []


def test_the_page_shows_where_somebody_belongs_in_these_blocks_only(desk):
    Membership.objects.create(user_id=3, block_id=2, apartment_id=12, status="active")
    page = desk.text(f"{RESIDENT}change/")
    assert "Block 1, unit 2" in page
    assert "lock 2, unit 12" not in page
    assert "Block 2, unit 12" in Desk("admin").text(f"{RESIDENT}change/")


def test_a_double_click_promotes_once(desk, phone, new_entries):
    path = f"{RESIDENT}promote/?contact=phone-{phone.claim_id}"
    opened = desk.page(path)
    desk.resend(path, opened)
    again = desk.resend(path, opened)
    assert again.headers["Location"] == f"/admin/{RESIDENT}change/"
    assert told(again).splitlines()[-1] == "This contact is no longer there."
    assert resident().phone == "01222222222"
    assert [line.action for line in new_entries()].count("contact.promoted") == 1


def test_what_became_the_primary_one_meanwhile_is_not_removed(desk, phone):
    path = f"{RESIDENT}remove/?contact=phone-{phone.claim_id}"
    opened = desk.page(path)
    desk.send(f"{RESIDENT}promote/?contact=phone-{phone.claim_id}")
    desk.resend(path, opened)
    assert held(Kind.PHONE) == ["+201000000002", "+201222222222"]


@pytest.mark.parametrize("path", [f"{RESIDENT}change/", "buildings/apartment/2/change/"])
def test_a_hidden_contact_that_is_gone_shows_nowhere_in_history(desk, path):
    desk.send(f"{RESIDENT}hide/?contact=phone")
    desk.send(f"{RESIDENT}add-contact/", kind="phone", typed="01066600001")
    [added] = [each for each in contacts_of(resident()) if each.typed == "01066600001"]
    desk.send(f"{RESIDENT}promote/?contact={added.key}")
    [hidden] = [each for each in contacts_of(resident()) if each.typed == "01000000002"]
    assert hidden.hidden
    desk.send(f"{RESIDENT}remove/?contact={hidden.key}", reason="gone")
    assert len(contacts_of(resident())) == 2
    assert "01000000002" not in desk.text(path)
    assert "01066600001" in desk.text(path)


def test_what_was_searched_before_an_export_shows_nobodys_contact(desk):
    desk.post("/admin/contacts/user/export/?q=resident%40example.org", {"format": "csv"})
    exported = Entry.objects.latest("pk")
    page = desk.text(f"audit/entry/{exported.pk}/change/")
    assert "resident" not in page
    assert "••••@example.org" in page


def test_a_superuser_opens_the_page_of_somebody_without_a_membership():
    assert "Osman Outsider" in Desk("admin").text(f"contacts/user/{person('outsider').pk}/change/")


def test_a_manager_signs_somebody_out_everywhere(desk, app, new_entries):
    phone = app("resident")
    assert "reason" in desk.send(f"{RESIDENT}end-sessions/").context["form"].errors
    assert phone.add(blockId=1, apartmentId=2, email="still@example.org")["status"] == 200
    desk.send(f"{RESIDENT}end-sessions/", reason="lost phone")
    assert phone.add(blockId=1, apartmentId=2, email="no@example.org")["status"] == 401
    line = new_entries()[-1]
    assert (line.action, line.person_id, line.reason) == ("user.sessions_ended", 3, "lost phone")
