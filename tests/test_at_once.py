"""Many requests at once, each on a connection of its own, against a running server."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from audit.models import Action, Entry
from buildings.models import Apartment
from contacts.models import Claim, SecondaryEmail, SecondaryPhone
from tests.http import post_form

AT_ONCE = 50


@pytest.fixture
def at_once(live_server):
    """Posts each of these (app, path, fields) at the same time; the answers."""

    def at_once(requests):
        def send(request):
            app, path, fields = request
            return post_form(f"{live_server.url}/omartyapis/{path}/", token=app.token, **fields)

        with ThreadPoolExecutor(len(requests)) as pool:
            return list(pool.map(send, requests))

    return at_once


def test_of_50_identical_registrations_one_registers(at_once, manager, new_entries):
    fields = {"api": "CreateApartment", "floorNum": 1, "aptNum": 500, "blockId": 1}
    answers = at_once([(manager, "Create", fields)] * AT_ONCE)
    assert Counter(str(answer) for answer in answers) == {
        str({"status": 200, "data": "Apartment registered."}): 1,
        str({"status": 200, "message": "Apartment already registered."}): AT_ONCE - 1,
    }
    assert Apartment.objects.filter(block_id=1, number=500).count() == 1
    assert [entry.action for entry in new_entries()] == [Action.APARTMENT_REGISTERED]


def test_of_50_identical_contacts_one_is_added(at_once, resident, new_entries):
    fields = {"api": "AddContact", "email": "a@example.org", "blockId": 1, "apartmentId": 2}
    answers = at_once([(resident, "Update", fields)] * AT_ONCE)
    refused = [answer["message"]["error"] for answer in answers if "message" in answer]
    assert refused == ["Email already set for you"] * (AT_ONCE - 1)
    assert SecondaryEmail.objects.filter(user=resident.person).count() == 1
    assert [entry.action for entry in new_entries()] == [Action.CONTACT_ADDED]


def test_a_phone_claimed_by_two_at_once_has_one_holder(at_once, app, new_entries):
    fields = {"api": "AddContact", "blockId": 1, "apartmentId": 2}
    two = [app("resident"), app("partner")]
    spellings = ["01122334455", "+20 112 233 4455"]
    answers = at_once(
        [
            (two[turn % 2], "Update", fields | {"phoneNumber": spellings[turn // 2 % 2]})
            for turn in range(AT_ONCE)
        ]
    )
    assert sum("data" in answer for answer in answers) == 1
    [holder] = Claim.objects.filter(value="+201122334455").values_list("user_id", flat=True)
    assert list(
        SecondaryPhone.objects.filter(user__in=[each.person for each in two]).values_list(
            "user_id", flat=True
        )
    ) == [holder]
    errors = Counter(answer["message"]["error"] for answer in answers if "message" in answer)
    assert errors == {
        "Phone number already set for you": AT_ONCE // 2 - 1,
        "Phone number already set for another user": AT_ONCE // 2,
    }
    assert len(new_entries()) == 1


def test_nobody_exceeds_the_limit_however_fast_they_ask(at_once, resident, settings):
    settings.SECONDARY_CONTACTS_LIMIT = 5
    fields = {"api": "AddContact", "blockId": 1, "apartmentId": 2}
    answers = at_once(
        [
            (resident, "Update", fields | {"phoneNumber": f"011223344{each:02}"})
            for each in range(AT_ONCE)
        ]
    )
    assert sum("data" in answer for answer in answers) == 5
    assert SecondaryPhone.objects.filter(user=resident.person).count() == 5
    assert (
        Entry.objects.filter(action=Action.CONTACT_ADDED, actor_id=resident.person.pk).count() == 5
    )
