import io
import json
from html.parser import HTMLParser

import pytest
from django.core.management import CommandError, call_command

from audit.models import Channel
from audit.operations import Origin
from buildings.membership_operations import end_memberships
from contacts.operations import change_password
from tests.conftest import person
from tests.proof import Log


def export(who, directory, **options):
    """Run the command; the JSON file's content and the page's text."""
    call_command(
        "person_export", who, to=directory, stdout=io.StringIO(), stderr=io.StringIO(), **options
    )
    (data,), (page,) = directory.glob("*.json"), directory.glob("*.html")
    return json.loads(data.read_text(encoding="utf-8")), page.read_text(encoding="utf-8")


@pytest.fixture
def busy(app, client):
    """neighbour@example.org has signed in, failed to, and acted; others have acted on them."""
    neighbour = app("neighbour")
    neighbour.create(floorNum=1, aptNum=101, blockId=2, longitude="31.25", latitude="30.5")
    change_password(
        origin=Origin.of_command("test"), user=person("neighbour"), password="palm-gardens-9"
    )
    entered = {"email": "neighbour@example.org", "password": "palm-gardens-9"}
    tokens = neighbour.client.post("/omartyapis/Auth/Login/", entered).json()["data"]
    neighbour.client.post("/omartyapis/Auth/Refresh/", {"refresh": tokens["Refresh"]})
    neighbour.client.post("/omartyapis/Auth/Login/", entered | {"password": "wrong"})
    client.force_login(person("neighbour"), backend="contacts.authentication.PrimaryContactBackend")


def test_all_stored_data_is_exported(tmp_path, busy, new_entries):
    before = len(new_entries())
    data, page = export("01000000007", tmp_path)
    (row,) = data["person"]
    assert (row["id"], row["name"], row["phone"]) == (8, "نادية جارة", "01000000007")
    assert {row["typed"] for row in data["contacts.secondaryphone"]} == {
        "01100000007",
        "+20 120 000 0007",
    }
    assert len(data["contacts.secondaryemail"]) == 2 and len(data["contacts.claim"]) == 6
    (membership,) = data["buildings.membership"]
    assert membership["block"] == {"id": 2, "name": "2"} and membership["role"] == "manager"
    assert data["contacts.appsession"] and data["contacts.backofficesession"]
    # Whose the wrong password was is not known: the attempt stands in the audit log alone.
    assert data["contacts.knownaddress"]
    actions = [row["action"] for row in data["audit"]]
    assert {"user.registered", "contact.added", "apartment.registered"} < set(actions)
    assert "user.password_changed" in actions
    for text in ("01100000007", "نادية جارة", "Unit registered", "Block manager", "31.2500000"):
        assert text in page
    entries = new_entries()[before:]
    assert [entry.action for entry in entries] == ["data.exported"]
    assert (entries[0].person_id, entries[0].after["rows"]) == (
        8,
        sum(len(rows) for rows in data.values()),
    )


def test_secrets_of_the_account_are_withheld(tmp_path, busy):
    data, page = export("8", tmp_path)
    secrets = [person("neighbour").password, person("neighbour").session_stamp]
    exported = json.dumps(data) + page
    assert not [secret for secret in secrets if secret in exported]
    assert "password" not in data["person"][0]
    (session,) = data["contacts.appsession"]
    assert not {"token_id", "former_token_id"} & set(session)
    assert not {"session_key", "session_data"} & set(data["contacts.backofficesession"][0])


def test_nothing_of_anybody_else(tmp_path, busy):
    data, page = export("outsider@example.org", tmp_path)
    exported = json.dumps(data, ensure_ascii=False) + page
    assert "نادية" not in exported and "01000000007" not in exported
    assert data["buildings.membership"] == data["contacts.backofficesession"] == []


def test_the_location_of_others_is_withheld(tmp_path, app, new_entries):
    origin = Origin(channel=Channel.API, actor=person("manager"), ip="192.0.2.7")
    end_memberships(origin=origin, memberships=person("partner").memberships.all())
    assert new_entries()[0].ip == "192.0.2.7"
    data, page = export("partner@example.org", tmp_path)
    assert data["audit"][-1]["action"] == "membership.ended"
    assert data["audit"][-1]["ip"] is None and "192.0.2.7" not in page


class Page(HTMLParser):
    """Counts what a page asks for from elsewhere, and finds what could be code."""

    def __init__(self, text):
        super().__init__()
        self.outside, self.root, self.tables = [], {}, 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.root = found if tag == "html" else self.root
        self.tables += tag == "table"
        if tag in {"script", "link", "img", "iframe"} or {"src", "href"} & set(found):
            self.outside.append(tag)


def test_the_page_in_arabic_needs_nothing_but_itself(tmp_path):
    user = person("outsider")
    user.name = "<script>alert(1)</script>"
    user.save()
    _data, text = export("outsider@example.org", tmp_path, language="ar")
    page = Page(text)
    assert (page.root["lang"], page.root["dir"]) == ("ar", "rtl")
    assert not page.outside and page.tables >= 3
    assert "&lt;script&gt;" in text and "url(" not in text


def test_a_dry_run_and_strangers(tmp_path, new_entries):
    out = io.StringIO()
    options = {"to": tmp_path, "stderr": io.StringIO()}
    call_command("person_export", "8", dry_run=True, json=True, stdout=out, **options)
    assert json.loads(out.getvalue())["rows"] > 10
    for who, code in [("nobody@example.org", 1), ("8", 2)]:
        directory = tmp_path if code == 1 else tmp_path / "missing"
        with pytest.raises(CommandError) as refused:
            call_command("person_export", who, to=directory, stdout=out, stderr=io.StringIO())
        assert refused.value.returncode == code
    assert not list(tmp_path.iterdir()) and not new_entries()


def test_archived_entries_are_exported_too(tmp_path, busy):
    log = Log(tmp_path)
    before, _page = export("01000000007", tmp_path, file=log.file)
    assert log.seal()["exit"] == 0
    assert log.run("audit_archive", "--before=2999-01-01")["exit"] == 0
    data, page = export("01000000007", tmp_path, file=log.file)
    assert data["audit"][: len(before["audit"])] == before["audit"]
    assert "31.2500000" in page


def test_an_unreadable_archive_is_reported_and_nothing_written(tmp_path):
    log = Log(tmp_path)
    log.archives.mkdir()
    (log.archives / "entries-from-seal-00000001.jsonl.gz").write_bytes(b"no archive")
    with pytest.raises(CommandError, match="cannot be read as an archive"):
        export("01000000007", tmp_path, file=log.file)
    assert list(tmp_path.glob("person-*")) == []
