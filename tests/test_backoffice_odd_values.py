"""Whatever is put into an address or a form of the back-office, it answers; it never breaks."""

from typing import Any

import pytest
from django.contrib import admin
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from buildings.models import Membership
from contacts.models import SecondaryPhone, User
from omarty.backoffice.base.export import ExportingAdmin
from tests.backoffice import Desk, fields_of

LISTS = [f"{model._meta.app_label}/{model._meta.model_name}/" for model in admin.site._registry]
# Each of these broke something once.
HARD = ("9" * 5000, "9" * 30, str(2**63), "\0", "a", "NaN", "(", "-1", "0001-01-01")
ODD = (
    *HARD, "", "0", "5", "1.5", "1e999", "Infinity", "1_0", "٣", "²", "9" * 18, "-" + "9" * 30,
    str(2**63 - 1), "1\0", "[", "%", "'", '"', "\\", "\N{RIGHT-TO-LEFT OVERRIDE}", "😀", "a,b",
    "x" * 300, "x" * 51_000, "a " * 1100, "yes", "True", "9999-12-31", "10000-01-01", "2026-02-30",
    "0001-01-01T00:00", "9999-12-31T23:59:59-12:00", "a.b", "block", "password", "((((.*)*)*)*)*x",
)  # fmt: skip
LOOKUPS = ("", "__exact", "__regex", "__iregex", "__in", "__range", "__gte", "__isnull", "__year")
COMMON = (
    "q",
    "p",
    "o",
    "e",
    "all",
    "block",
    "_popup",
    "_to_field",
    "_facets",
    "_changelist_filters",
)
ENTRIES = ("older", "newer", "request", "person", "outcome")

odd_values = st.sampled_from(ODD) | st.text(max_size=30)
some = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def list_of(path: str) -> Any:
    """The list that stands at this address."""
    [model] = [each for each in admin.site._registry if path.endswith(f"/{each._meta.model_name}/")]
    return admin.site.get_model_admin(model)


@pytest.fixture
def desk():
    return Desk("admin")


@pytest.fixture
def filters(desk):
    """What the filters of each list send."""
    specs = {path: desk.page(path).context["cl"].filter_specs for path in LISTS}
    return {
        path: [name for spec in specs[path] for name in spec.expected_parameters()]
        for path in LISTS
    }


@given(st.data())
@some
def test_any_parameter_of_any_list(desk, filters, data):
    path = data.draw(st.sampled_from(LISTS))
    fields = [field.name for field in list_of(path).opts.concrete_fields]
    tricks = [f"{field}{lookup}" for field in fields for lookup in LOOKUPS]
    names = st.sampled_from([*COMMON, *filters[path]] * 4 + tricks)
    query = data.draw(st.dictionaries(names, odd_values, min_size=1, max_size=2))
    page = data.draw(st.sampled_from(["", "export/"]))
    assert desk.page(path + page, **query).status_code < 500


@pytest.mark.parametrize("path", LISTS)
def test_each_filter_with_each_hard_value(desk, filters, path):
    # The page of the export asks what the list asks, and shows no rows.
    page = f"{path}export/" if isinstance(list_of(path), ExportingAdmin) else path
    for name in ["q", *filters[path]]:
        for value in HARD:
            assert desk.page(page, **{name: value}).status_code < 500, (name, value)


@pytest.mark.parametrize(
    ("path", "lookup"),
    [
        ("buildings/apartment/", "occupancy__regex"),
        ("buildings/apartment/", "floor__in"),
        ("buildings/apartment/", "floor__range"),
        ("buildings/apartment/", "occupancy__exact__regex"),
        ("buildings/membership/", "status__range"),
        ("buildings/membership/", "role__in"),
        ("audit/entry/", "at__year"),
        ("audit/entry/", "at__gte"),
        ("audit/entry/", "action__iregex"),
        ("contacts/user/", "name__regex"),
    ],
)
def test_a_lookup_that_no_filter_sends_is_refused(desk, path, lookup):
    for page in ("", "export/"):
        assert desk.page(path + page, **{lookup: "((((.*)*)*)*)*x"}).status_code == 400


def test_a_search_is_as_long_as_its_field_lets_one_type(desk):
    assert desk.page("buildings/apartment/", q="x" * 200).status_code == 200
    assert desk.page("buildings/apartment/", q="x" * 201).status_code == 400
    assert 'maxlength="200"' in desk.text("buildings/apartment/")


def test_the_way_back_to_a_long_search_is_no_search(desk):
    query = {"_changelist_filters": "q=" + "%D8%A7" * 200}
    assert desk.page("buildings/apartment/2/change/", **query).status_code == 200


def test_the_day_filter_says_which_days_there_are(desk):
    page = desk.text("audit/entry/", at__range__gte="0001-01-01", at__range__lte="9999-12-31")
    assert "greater than or equal to 1900-01-01" in page
    assert "less than or equal to 2200-12-31" in page


TERM = {"app_label": "buildings", "model_name": "membership", "field_name": "user"}


@given(name=st.sampled_from(["term", "page", *TERM]), value=odd_values)
@some
def test_any_parameter_of_the_autocomplete(desk, name, value):
    assert desk.page("autocomplete/", **TERM | {name: value}).status_code < 500


@pytest.fixture
def forms(desk, app):
    """The back-office's forms, each as its page was opened, by their address."""
    app("resident").add(blockId=1, apartmentId=2, phoneNumber="01222222222")
    phone = SecondaryPhone.objects.get(user=3)
    User.objects.filter(pk=3).update(email_hidden=True)
    one = Membership.objects.get(user=3).pk
    paths = [
        "buildings/apartment/", "buildings/apartment/add/", "buildings/apartment/2/change/",
        "buildings/apartment/2/move-in/", "buildings/apartment/3/merge/", "buildings/apartment/3/close/",
        "buildings/apartment/import/", "buildings/block/add/", "buildings/block/1/add-floors/",
        "buildings/building/add/", "contacts/user/3/add-contact/", "contacts/user/3/edit/?contact=phone",
        f"contacts/user/3/promote/?contact=phone-{phone.claim_id}", "contacts/user/3/reveal/",
        f"buildings/membership/{one}/role/", f"buildings/membership/{one}/move-out/",
        "buildings/apartment/export/", "contacts/user/export/", "audit/entry/export/",
    ]  # fmt: skip
    list_form = fields_of(desk.page(paths[0], edit="1"))
    return {path: fields_of(desk.page(path)) for path in paths[1:]} | {paths[0]: list_form}


HIDDEN = (
    "_popup",
    "_to_field",
    "_source_model",
    "_save",
    "_addanother",
    "_continue",
    "confirmed",
    "carried",
)


@given(st.data())
@some
def test_any_field_of_any_form(desk, forms, data):
    path = data.draw(st.sampled_from(sorted(forms)))
    typed = forms[path]
    names = st.sampled_from([*typed, *HIDDEN])
    odd = data.draw(st.dictionaries(names, odd_values, min_size=1, max_size=3))
    with transaction.atomic():
        assert desk.post(f"/admin/{path}", typed | odd).status_code < 500
        transaction.set_rollback(True)


def test_each_field_with_each_hard_value(desk, forms):
    # The list of units has a hundred times the same fields.
    for path in forms.keys() - {"buildings/apartment/"}:
        for value in HARD:
            with transaction.atomic():
                asked = dict.fromkeys(forms[path], value)
                assert desk.post(f"/admin/{path}", asked).status_code < 500, (path, value)
                transaction.set_rollback(True)


@pytest.mark.parametrize("pk", ["9" * 5000, str(2**63), "abc", "-1", ""])
def test_a_list_saved_with_what_is_no_id_is_refused(desk, forms, pk):
    typed = forms["buildings/apartment/"] | {"form-0-id": pk, "_save": "Save"}
    assert desk.post("/admin/buildings/apartment/", typed).status_code == 400


@given(
    path=st.sampled_from(LISTS),
    action=st.sampled_from(["approve", "refuse", "move-out", "nothing", ""]),
    chosen=st.lists(odd_values, max_size=3),
    more=st.dictionaries(
        st.sampled_from(["index", "select_across", "sure", "day", "reason"]), odd_values
    ),
)
@some
def test_any_choice_for_an_action(desk, path, action, chosen, more):
    sent = {"action": action, "_selected_action": chosen} | more
    with transaction.atomic():
        assert desk.post(f"/admin/{path}", sent).status_code < 500
        transaction.set_rollback(True)


def test_a_field_to_find_a_row_by_that_has_no_name_is_none():
    assert (
        Desk("manager").post("/admin/buildings/apartment/2/change/", {"_to_field": ""}).status_code
        == 200
    )
