"""To the manager of block 2 there is nothing but block 2: a crawl through the back-office."""

import io
import re
import zipfile
from html import unescape
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.contrib import admin
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import ForeignKey
from django.urls import URLPattern, URLResolver

from buildings.models import Apartment, Block, Membership, Role
from buildings.permissions import reach
from contacts.models import Claim, Message, SecondaryEmail, SecondaryPhone, User
from omarty.legacy.models import QuarantinedRow
from tests.backoffice import Desk
from tests.conftest import App

# No row has this id.
UNKNOWN = 888_888_888
# What stands in block 1 and nowhere else.
FOREIGN = (
    "Mona Manager", "Rami Resident", "Parisa Partner", "Pakinam", "Bassem", "Osman", "Adel Admin",
    "0100000000", "manager@example.org", "resident@example.org", "partner@example.org",
    "Foreign Tower", "foreign unit", "foreign note", "71234",
)  # fmt: skip
# The neighbour's own phone starts as all of the demo's do.
OWN = ("01000000007", "+201000000007")
CHANGEABLE = (Apartment, Block, Membership, User, Claim, SecondaryEmail, SecondaryPhone)


@pytest.fixture
def desk() -> Desk:
    """The neighbour at the back-office, with block 1 full of words that they must never see."""
    Block.objects.filter(pk=1).update(name="Foreign Tower")
    Apartment.objects.filter(block=1).update(name="foreign unit", note="foreign note")
    Apartment.objects.filter(pk=2).update(number=71234)
    return Desk("neighbour")


def leaks(text: str) -> list[str]:
    for own in OWN:
        text = text.replace(own, "")
    return [word for word in FOREIGN if word in text]


def addresses(patterns: Any, before: str = "") -> list[str]:
    """Every address of the back-office as a template, with {} for each part to fill in."""
    found = []
    for pattern in patterns:
        address = before + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            found += addresses(pattern.url_patterns, address)
        elif isinstance(pattern, URLPattern) and not address.startswith("^"):
            found.append(address)
    return found


def plain(response: Any, pk: int) -> tuple[Any, ...]:
    """What an answer tells, without what differs each time, and without the id that was asked."""
    text = response.content.decode()
    text = re.sub(r'(csrfmiddlewaretoken" value|nonce)="[^"]*"', "", text)
    text, is_error = re.subn(r'class="request-id">[^<]*<', "", text)
    sent = [str(message) for message in get_messages(response.wsgi_request)]
    parts = (text, response.get("Location", ""), *sent[-1:])
    # An error's page has no id in it, and ones among its measures.
    shown = rf"(?<!\w){pk}(?!\w)" if not is_error else r"(?!)"
    hidden = tuple(re.sub(shown, "ID", part) for part in parts)
    return (response.status_code, *hidden)


def models() -> list[Any]:
    """What a manager finds there; that they do not find the rest, its own tests check."""
    return [model for model in admin.site._registry if model not in (Message, QuarantinedRow)]


def foreign_rows(model: Any, desk: Desk) -> list[int]:
    """The ids that this person's list does not hold."""
    name = f"{model._meta.app_label}/{model._meta.model_name}/"
    own = {row.pk for row in desk.page(name).context["cl"].root_queryset}
    return [pk for pk in model.objects.values_list("pk", flat=True) if pk not in own]


def state() -> list[Any]:
    return [list(model.objects.order_by("pk").values()) for model in CHANGEABLE]


def crawled(desk: Desk, foreign: list[str]) -> set[str]:
    """Open every page that links lead to; each must show nothing foreign. Returns their addresses.

    One filter or order at a time: all of them together are without end.
    """
    seen, waiting = set(), ["/admin/"]
    while waiting:
        address = waiting.pop()
        parts = urlsplit(address)
        endless = parts.query.count("=") > 1 or "." in parts.query or "_changelist" in parts.query
        if address in seen or endless or not parts.path.startswith("/admin/"):
            continue
        seen.add(address)
        response = desk.get(address)
        assert response.status_code in {200, 302}, address
        # A workbook that is offered is read as bytes.
        text = unescape(response.content.decode(errors="replace"))
        assert leaks(text) + [word for word in foreign if word in text] == [], address
        if response.status_code == 200 and "html" in response["Content-Type"]:
            waiting += [urljoin(address, link) for link in re.findall(r'href="([^"#]+)', text)]
    return seen


def test_every_page_that_links_lead_to(desk):
    paths = {urlsplit(address).path for address in crawled(desk, [])}
    assert {"/admin/buildings/apartment/11/change/", "/admin/contacts/user/8/change/"} <= paths
    assert "/admin/buildings/apartment/1/change/" not in paths


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_foreign_id_answers_as_an_unknown_one(desk, method):
    """At every address that takes an id, for every row of every table."""
    templates = [each for each in addresses(admin.site.get_urls()) if "{" in each]
    assert len(templates) > 25
    before = state()
    asked = 0
    for model in models():
        prefix = f"{model._meta.app_label}/{model._meta.model_name}/"
        for template in templates:
            if not template.startswith(prefix):
                continue
            for pk in foreign_rows(model, desk)[:4]:
                for query in ("", "?contact=phone", "?_to_field=id&_popup=1"):
                    ask = getattr(desk, method)
                    foreign, unknown = (
                        plain(ask(f"/admin/{template.format(object_id=each)}{query}"), each)
                        for each in (pk, UNKNOWN)
                    )
                    assert foreign == unknown, (template, pk)
                    assert foreign[0] in {302, 403, 404}, (template, pk)
                    asked += 1
    assert asked > 300
    assert state() == before


def test_lists_searches_filters_and_counts(desk):
    words = ["Hall1", "Guest1", "01055570001", "Note1", "Mover1", "mover1@"]
    words += ["Reason1", "Renamed1", "Why1", "file1"]
    queries: list[dict[str, Any]] = [{"q": word} for word in words]
    queries += [{"block": each} for each in ("1", "2", "x", str(UNKNOWN))]
    queries += [
        {"use": "all"},
        {"period": "all"},
        {"correction": "yes"},
        {"all": ""},
        {"o": "1.-2"},
    ]
    queries += [{"_popup": "1"}, {"_facets": "True"}, {"p": "9"}]
    for model in models():
        name = f"{model._meta.app_label}/{model._meta.model_name}/"
        foreign = set(foreign_rows(model, desk))
        for query in queries:
            response = desk.page(name, **query)
            if response.status_code != 200:
                assert response.status_code in {302, 400}, (name, query)
                continue
            text = unescape(response.content.decode()).replace(
                (query.get("q") or "\0").lstrip("+"), ""
            )
            assert leaks(text) == [], (name, query)
            shown = response.context["cl"]
            assert not foreign & {row.pk for row in shown.result_list}
            assert shown.result_count <= model.objects.count() - len(foreign)
        asked, unknown = (desk.page(name, block=each) for each in ("1", str(UNKNOWN)))
        assert asked.status_code == unknown.status_code
        if asked.status_code == 200:
            assert asked.context["cl"].result_count == unknown.context["cl"].result_count == 0


@pytest.mark.parametrize(
    "lookup",
    [
        "password__startswith", "session_stamp__startswith", "email__startswith", "is_superuser",
        "block__memberships__user__phone__startswith", "memberships__user__email__contains",
        "user__password__startswith", "apartment__block__name", "block__name", "merged_into__name",
    ],
)  # fmt: skip
def test_no_list_can_be_asked_for_what_no_filter_offers(desk, lookup):
    for model in models():
        name = f"{model._meta.app_label}/{model._meta.model_name}/"
        assert desk.page(name, **{lookup: "a"}).status_code == 400, (name, lookup)


def test_that_somebody_belongs_to_a_foreign_block_too_is_not_shown(desk):
    Membership.objects.create(user_id=3, block_id=2, apartment_id=12, status="active")
    assert desk.rows("contacts/user/") == [3, 8]
    assert desk.rows("contacts/user/", block="2") == [3, 8]
    assert desk.rows("contacts/user/", block="1") == []
    page = desk.text("contacts/user/3/change/")
    assert "Foreign Tower" not in page
    assert "71234" not in page


def test_autocompletes(desk):
    asked = 0
    for model in models():
        for field in model._meta.get_fields():
            if not isinstance(field, ForeignKey):
                continue
            for term in (
                "",
                "Mona",
                "Rami",
                "0100",
                "01000000002",
                "1",
                "71234",
                "Foreign",
                "نادية",
            ):
                response = desk.page(
                    "autocomplete/",
                    app_label=model._meta.app_label,
                    model_name=model._meta.model_name,
                    field_name=field.name,
                    term=term,
                )
                assert response.status_code in {200, 403}
                assert leaks(response.content.decode()) == []
                asked += response.status_code == 200
    assert asked > 20


def test_own_people_are_found_by_them(desk):
    response = desk.page(
        "autocomplete/",
        app_label="buildings",
        model_name="membership",
        field_name="user",
        term="نادية",
    )
    assert [each["id"] for each in response.json()["results"]] == ["8"]


@pytest.mark.parametrize("across", ["0", "1"])
def test_actions_on_posted_ids(desk, across):
    before = state()
    for model in models():
        name = f"{model._meta.app_label}/{model._meta.model_name}/"
        actions = desk.page(name).context["action_form"]
        chosen = foreign_rows(model, desk)
        for action in dict(actions.fields["action"].choices if actions else {}):
            for sure in ({}, {"sure": "1", "reason": "x", "day": "2026-01-01"}):
                sent = {"action": action, "_selected_action": chosen, "select_across": across}
                response = desk.post(f"/admin/{name}", sent | sure)
                assert leaks(response.content.decode()) == []
    assert [row for row in state()[0] if row["block_id"] == 1] == [
        row for row in before[0] if row["block_id"] == 1
    ]
    assert [row for row in state()[2] if row["block_id"] == 1] == [
        row for row in before[2] if row["block_id"] == 1
    ]


@pytest.mark.parametrize("chosen", ["x", "1,2", "1 OR 1=1", "٣"])
def test_an_action_on_what_is_no_id_is_refused(desk, chosen):
    sent = {"action": "approve", "_selected_action": chosen}
    assert desk.post("/admin/buildings/membership/", sent).status_code == 400


def test_a_list_saved_with_foreign_ids_changes_nothing(desk):
    before = state()
    form = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "_save": "Save"}
    for pk in (1, 2, UNKNOWN):
        row = {"form-0-id": str(pk), "form-0-number": "5000", "form-0-floor": "9"}
        row |= {"form-0-occupancy": "vacant", "initial-form-0-number": str(pk)}
        response = desk.post("/admin/buildings/apartment/", form | row)
        # "No such row", as for an unknown id.
        assert response.status_code == 400
    assert state() == before


@pytest.mark.parametrize("block", ["1", "3", str(UNKNOWN), "x", ""])
def test_a_unit_in_a_foreign_block_cannot_be_added(desk, block):
    before = state()
    sent = {"block": block, "number": "900", "floor": "1", "occupancy": "vacant"}
    response = desk.post("/admin/buildings/apartment/add/", sent)
    assert list(response.context["adminform"].errors) == ["block"]
    assert state() == before


def test_form_choices_are_of_own_blocks_only(desk):
    choices = desk.page("buildings/apartment/add/").context["adminform"].form.fields["block"]
    assert [block.pk for block in choices.queryset] == [2]
    merge = desk.page("buildings/apartment/11/merge/").context["form"].fields["into"].queryset
    assert {unit.block_id for unit in merge} == {2}
    assert leaks(desk.text("buildings/apartment/11/move-in/")) == []


def test_a_unit_neither_merges_into_a_foreign_one_nor_takes_foreign_people_in(desk):
    before = state()
    desk.post("/admin/buildings/apartment/12/merge/", {"into": "2"})
    desk.post(
        "/admin/buildings/apartment/12/move-in/",
        {"person": "3", "role": "manager", "day": "2026-01-01"},
    )
    assert state() == before


def test_nobody_becomes_superuser_or_manager_elsewhere(desk):
    before = state()
    attempts = {
        "is_superuser": "on",
        "role": "manager",
        "block": "1",
        "user": "8",
        "status": "active",
    }
    for path in (
        "contacts/user/8/change/", "contacts/user/add/", "buildings/membership/add/",
        "buildings/membership/6/change/", "buildings/block/2/change/", "buildings/block/add/",
    ):  # fmt: skip
        assert desk.post(f"/admin/{path}", attempts).status_code == 403, path
    assert state() == before


def test_rights_follow_memberships():
    person = User.objects.get(pk=8)
    assert set(reach(person).sees.ids or ()) == set(reach(person).changes.ids or ()) == {2}
    Membership.objects.create(user=person, block_id=1, role=Role.BOARD, status="active")
    assert set(reach(person).sees.ids or ()) == {1, 2}
    assert set(reach(person).changes.ids or ()) == {2}
    desk = Desk("neighbour")
    assert len(desk.rows("buildings/apartment/")) == 20
    # Rows of the block that they only read cannot be typed into.
    page = desk.page("buildings/apartment/?edit=1")
    assert [form.fields["floor"].disabled for form in page.context["cl"].formset] == (
        [True] * 10 + [False] * 10
    )
    assert desk.page("buildings/apartment/1/close/").status_code == 403
    response = desk.post(
        "/admin/buildings/membership/",
        {"action": "approve", "_selected_action": "4", "sure": "1"},
    )
    assert response.status_code == 403


@pytest.mark.parametrize("name", ["resident", "partner", "pending", "banned", "outsider"])
def test_others_see_no_page_at_all(name):
    desk = Desk(name)
    for template in addresses(admin.site.get_urls()):
        if "login" in template:
            continue
        response = desk.page(template.format(object_id=1, app_label="buildings", url="x"))
        assert response.status_code in {302, 404}, template
        assert response.get("Location", "/admin/").startswith("/admin/")


# --- After an import, a move-in and an export --------------------------------------------------------


def exported(desk: Desk) -> str:
    """Every list as CSV and as XLSX, in full, as one text."""
    texts = []
    for model in models():
        path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/export/"
        for kind in ("csv", "xlsx"):
            sent = {"format": kind, "in_full": "on", "reason": "why"}
            response = desk.post(path, sent)
            if "attachment" not in response.get("Content-Disposition", ""):
                continue
            if kind == "csv":
                texts.append(response.content.decode())
                continue
            with zipfile.ZipFile(io.BytesIO(response.content)) as book:
                texts += [book.read(name).decode() for name in book.namelist()]
    return "\n".join(texts)


@pytest.mark.parametrize("role", [Role.MANAGER, Role.BOARD])
def test_nothing_foreign_after_an_import_a_move_in_and_an_export(desk, role):
    """What the managers of both blocks did to them leaves nothing of one in the other's pages or files."""
    for name, block, unit, person_id in (("manager", 1, 4, 3), ("neighbour", 2, 14, 8)):
        busy = Desk(name)
        row = f"88{block}1,1,Hall{block},Guest{block},0105557000{block},Note{block}"
        table = f"number,floor,name,resident,phone,note\n{row}"
        file = SimpleUploadedFile(f"file{block}.csv", table.encode())
        preview = busy.post("/admin/buildings/apartment/import/", {"import_file": file})
        busy.resend("buildings/apartment/import/", preview)
        busy.send(
            f"buildings/apartment/{unit}/move-in/",
            name=f"Mover{block}",
            email=f"mover{block}@example.org",
            reason=f"Reason{block}",
        )
        busy.send(f"contacts/user/{person_id}/name/", name=f"Renamed{block}", reason=f"Why{block}")
        assert f"Mover{block}" in exported(busy)
    words = [
        "Hall1",
        "Guest1",
        "01055570001",
        "Note1",
        "Mover1",
        "mover1@",
        "Reason1",
        "Renamed1",
        "Why1",
        "file1",
    ]
    Membership.objects.filter(user=desk.person).update(role=role)
    assert len(crawled(desk, words)) > 60
    files = exported(desk)
    assert leaks(files) + [word for word in words if word in files] == []
    own = ["Hall2", "Guest2", "Mover2", "Renamed2"]
    assert [word for word in own if word not in files] == []
    for term in ("Guest", "Mover", "0105557", "mover"):
        answer = desk.page(
            "autocomplete/",
            app_label="buildings",
            model_name="membership",
            field_name="user",
            term=term,
        ).content.decode()
        assert [word for word in words if word in answer] == []


def test_the_app_tells_a_resident_nothing_foreign():
    """Whatever ids a resident names, an answer holds no name, contact or number of others."""
    app = App(User.objects.get(pk=3))
    foreign = (
        "Mona",
        "Parisa",
        "نادية",
        "neighbour",
        "0110000",
        "0120000",
        "01000000001",
        "01000000007",
    )
    for block in range(6):
        for unit in (1, 2, 3, 11, 21, 22, UNKNOWN):
            answers = (
                app.add(blockId=block, apartmentId=unit, phoneNumber="x"),
                app.add(blockId=block, apartmentId=unit, email="neighbour@example.com"),
                app.create(floorNum=1, aptNum=1, blockId=block, apartmentId=unit),
            )
            text = str(answers).replace("neighbour@example.com", "")
            assert [word for word in foreign if word in text] == [], (block, unit)
