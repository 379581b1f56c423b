"""What could not come in from the legacy server, in the back-office."""

import pytest
from django.urls import reverse

from omarty.legacy.models import QuarantinedRow, QuarantineReason
from tests.conftest import person

LIST = "/admin/legacy/quarantinedrow/"


@pytest.fixture
def row():
    return QuarantinedRow.objects.create(
        table="PhoneNums", key="77", reason=QuarantineReason.NOT_PHONE, source={"PhoneNum": "abc"}
    )


def test_a_superuser_reads_the_row_and_its_reason(client, row):
    client.force_login(person("admin"), "contacts.authentication.PrimaryContactBackend")
    listed = client.get(LIST).content.decode()
    assert "PhoneNums" in listed
    assert "Not a phone number" in listed
    assert (
        "abc"
        in client.get(reverse("admin:legacy_quarantinedrow_change", args=[row.pk])).content.decode()
    )
    assert client.get(LIST + "?q=77").content.decode().count("Not a phone number") >= 1
    assert client.post(LIST + "add/").status_code == 403
    assert client.post(f"{LIST}{row.pk}/delete/").status_code == 403


@pytest.mark.parametrize("who", ["manager", "neighbour"])
def test_a_manager_does_not_find_it(client, row, who):
    client.force_login(person(who), "contacts.authentication.PrimaryContactBackend")
    assert client.get(LIST).status_code == 403
    assert LIST not in client.get("/admin/").content.decode()
    assert "abc" not in client.get(f"{LIST}{row.pk}/change/", follow=True).content.decode()


def test_the_header_leads_there_only_while_there_is_something(client, row):
    client.force_login(person("admin"), "contacts.authentication.PrimaryContactBackend")
    assert LIST in client.get("/admin/").content.decode()
    row.delete()
    assert LIST not in client.get("/admin/").content.decode()
    # Whoever kept the address reads that there is nothing.
    assert "Nothing here yet." in client.get(LIST).content.decode()
