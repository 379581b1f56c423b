"""Phones, e-mails and names as people type and paste them mean the same on every way in."""

import csv
import io
import json
from contextlib import suppress
from importlib import import_module
from urllib.parse import quote_plus

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from buildings.models import Apartment, Block, Building
from contacts.models import Claim, SecondaryEmail, SecondaryPhone, User
from tests.backoffice import Desk, told
from tests.conftest import ONCE, person

pytestmark = ONCE

RESIDENT = "contacts/user/3/"
LOGIN = "/omartyapis/Auth/Login/"

# Spellings of 01000000NNN.
PHONES = [
    "(+20) 100 0000 {n}",
    "201000000{n}+",
    "\u200b01000000{n}",
    "\u202a+20 100 0000 {n}\u202c",
    "\u206601000\ufeff000{n}\u2069\u200f",
    "tel:+201000000{n}",
    "TEL:0100-0000-{n}",
    "0100\u20110000\u2011{n}",
    "0100\u20130000\u2014{n}",
    "0100.0000.{n}",
    "0100/0000{n}",
    "0100\u00a00000\u202f{n}",
    "01000000{n} ext 12",
    "01000000{n} x12",
    "01000000{n}#12",
    "01000000{n} تحويلة 12",
    "01000000{n} داخلي 12",
    "Mob: 01000000{n}",
    "Tel. No.: 01000000{n}",
    "Phone 01000000{n}",
    "موبايل: 01000000{n}",
    "ت: 01000000{n}",
    "01000000{n} واتس",
    "+201000000{n}",
    "+2 01000000{n}",
    "+0201000000{n}",
    "+021000000{n}",
    "00201000000{n}",
    "+20 01000000{n}",
    "0020(0)1000000{n}",
    "\uff0b\uff12\uff10\uff11000000{n}",
    "٠١٠٠٠٠٠٠{n}",
    "1000000{n}.0",
    "201000000{n}",
    "01000000{n} (whatsapp)",
    "(mobile) 01000000{n}",
    "[01000000{n}]",
    "01000000{n}-",
    "01000000{n}.000",
    "M: 01000000{n}",
    "واتس اب 01000000{n}",
]
# Spellings of name@example.org.
EMAILS = [
    "{name}@example.org\u200f",
    "\u202a{name}@example.org\u202c",
    "{name}\u00ad@exam\ufeffple.org",
    "mailto:{name}@example.org",
    "MAILTO:{name}@example.org?subject=x",
    "Rami Resident <{name}@example.org>",
    "{name}@example.org <{name}@example.org>",
    "{name}\uff20example.org",
    "{name}@\uff45xample.org",
    "{name}@example.org.",
    "{name}@example.org,",
    "{name}@example.org\u060c",
    "\u00a0{name}@EXAMPLE.org ",
    '"{name}@example.org"',
    "({name}@example.org)",
    "mailto:{name}@example%2Eorg",
    "mailto://{name}@example.org",
    "E-mail: {name}@example.org",
    "البريد الإلكتروني: {name}@example.org",
    "{name}@example.org (work)",
]
ALL = [each.format(n="002") for each in PHONES] + [each.format(name="resident") for each in EMAILS]

# No number, or not one alone; and what a form or a table says of it.
NO_PHONES = {
    "0105550016": "a mobile number in Egypt has 11 digits",
    "010555000166": "a mobile number in Egypt has 11 digits",
    "01305550016": "a mobile number in Egypt has 11 digits",
    "01455550016": "a mobile number in Egypt has 11 digits",
    "+201655550016": "a mobile number in Egypt has 11 digits",
    "0155550016": "a mobile number in Egypt has 11 digits",
    "12255500011": "a mobile number in Egypt has 11 digits",
    "O1055500076": "there are letters in it",
    "01055500016 Ahmed": "there are letters in it",
    "1.05E+10": "make the cell text",
    "27370011/27370012": "more than one number",
    "1) 034845753": "more than one number",
    "1-034845752": "more than one number",
    "5-0229940541": "more than one number",
    "034283618 1": "more than one number",
    "+966501234567 5": "more than one number",
    "+971501234567 12": "more than one number",
    "2025-01-31": "a date",
    "31/01/2025": "a date",
    "27370011-12": "more than one number",
    "27370011/2": "more than one number",
    "227370117.5": "more than one number",
    "22737011.22737012": "more than one number",
    "22737011,22737012": "more than one number",
    "2273701_2273702": "more than one number",
    "5850000-03": "more than one number",
    "5850000 (03)": "more than one number",
    "3585 0000/03": "more than one number",
    "585 0000 (03)": "more than one number",
    "58 50 000/03": "more than one number",
    "5850000 03": "more than one number",
    "4850000/045": "more than one number",
    "3331234/40": "more than one number",
    "5850020,21": "more than one number",
    "4850000 - 1": "more than one number",
    "-01055500016": "",
    "0000000000": "",
    "000-0000 000": "",
    "+2000000000": "",
    "2273701170": "begins with + and the code of its country",
    "19123": "too short",
}
NO_EMAILS = {
    "nadia@example,org": "there is a comma in it",
    "nadia.example.org": "there is no @ in it",
    "nadia @example.org": "there is a blank in it",
    "mohamed.ali@example.org <ali@example.org>": "",
    "n@x.org.eg <n@x.org>": "",
    "Amr <amr@example.org>, Nadia <nadia@example.org>": "there is a comma in it",
    "nadi\u0430@example.org": "",
}


def signs_in(spelling):
    answer = Client().post(LOGIN, {"email": spelling, "password": "omarty-demo"}).json()
    return answer["status"] == 200 and answer["data"]["Data"]["id"] == "3"


def is_their_own_in_the_app(app, spelling):
    field = "email" if "@" in spelling or "\uff20" in spelling else "phoneNumber"
    return "already set for you" in str(app.add(blockId=1, apartmentId=2, **{field: spelling}))


def is_their_own_in_the_back_office(desk, spelling):
    kind = "email" if "@" in spelling or "\uff20" in spelling else "phone"
    answer = desk.send(f"{RESIDENT}add-contact/", kind=kind, typed=spelling)
    return answer.context["form"].errors == {"typed": ["This person has it already."]}


def is_found(desk, spelling):
    return desk.rows("contacts/user/", q=spelling) == [3]


def is_named_to_a_command(spelling):
    out = io.StringIO()
    call_command("grant", spelling, "cashier", "--block=1", "--dry-run", "--json", stdout=out)
    return json.loads(out.getvalue())["person"] == 3


def imported(tmp_path, column, cells, *, number=701, name="Some Body"):
    """What import_units makes of these cells, each of a person of another unit: its JSON report."""
    path, out = tmp_path / "table.csv", io.StringIO()
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["number", "floor", "resident", column])
        rows.writerows([number + row, 1, name, cell] for row, cell in enumerate(cells))
    with suppress(CommandError):
        call_command(
            "import_units", str(path), "--block=1", "--json", stdout=out, stderr=io.StringIO()
        )
    return json.loads(out.getvalue())


def test_every_spelling_means_the_same_in_the_app(resident):
    wrong = [each for each in ALL if not is_their_own_in_the_app(resident, each)]
    assert wrong == [each for each in ALL if not signs_in(each)] == []


def test_every_spelling_means_the_same_in_the_back_office():
    desk = Desk("manager")
    # What lies between + and ? of an address is its own.
    searched = [each for each in ALL if "?" not in each]
    assert [each for each in searched if not is_found(desk, each)] == []
    assert [each for each in ALL if not is_their_own_in_the_back_office(desk, each)] == []


def test_every_spelling_means_the_same_at_both_signs_in_and_to_commands():
    assert [each for each in ALL if not is_named_to_a_command(each)] == []
    for each in ("\u202a(+20) 100 0000 001\u202c", "Mona <manager\uff20example.org>"):
        form = {"username": each, "password": "omarty-demo"}
        assert Client().post("/admin/login/?next=/admin/", form).status_code == 302


def test_every_spelling_of_a_phone_means_the_same_in_a_table(tmp_path):
    # A table's reader has its own way with these: the first is a number, the other may be two.
    phones = [each for each in PHONES if each != "1000000{n}.0"]
    report = imported(tmp_path, "phone", [each.format(n=500 + n) for n, each in enumerate(phones)])
    assert report.get("problems", []) == [], report
    held = Claim.objects.filter(value__startswith="+2010000005").order_by("value")
    assert [claim.value for claim in held] == [f"+201000000{500 + n}" for n in range(len(phones))]
    stored = User.objects.filter(pk__in=[claim.user_id for claim in held])
    assert all((each.phone or "").isprintable() for each in stored)


def test_every_spelling_of_an_email_means_the_same_in_a_table(tmp_path):
    names = [f"person{n}" for n, _ in enumerate(EMAILS)]
    cells = [each.format(name=name) for each, name in zip(EMAILS, names, strict=True)]
    report = imported(tmp_path, "email", cells)
    assert report.get("problems", []) == [], report
    for name in names:
        claim = Claim.objects.get(value=f"{name}@example.org")
        assert (claim.user.email or "").lower().replace("\uff45", "e") == f"{name}@example.org"


def test_what_is_no_contact_is_refused_everywhere_with_its_reason(tmp_path, resident):
    desk = Desk("manager")
    for kind, wrong in (("phone", NO_PHONES), ("email", NO_EMAILS)):
        field = {"phone": "phoneNumber", "email": "email"}[kind]
        for typed, why in wrong.items():
            answer = resident.add(blockId=1, apartmentId=2, **{field: typed})
            assert "is not valid." in str(answer), typed
            form = desk.send(f"{RESIDENT}add-contact/", kind=kind, typed=typed).context["form"]
            assert why in form.errors["typed"][0], (typed, form.errors)
            assert not signs_in(typed)
        report = imported(tmp_path, kind, list(wrong))
        told_of = {each["row"]: each["sentence"] for each in report["problems"]}
        for row, (typed, why) in enumerate(wrong.items(), start=2):
            # A cell may have several.
            several = "more than one" in why or typed.count("@") > 1
            assert row in told_of or several, typed
            assert why in told_of.get(row, why), (typed, told_of)


@pytest.mark.parametrize(
    ("sent", "value", "back"),
    [
        ("phoneNumber=+4915123456", "+4915123456", "+4915123456"),
        ("phoneNumber=+12025550143", "+12025550143", "+12025550143"),
        ("phoneNumber=+201055500017", "+201055500017", "201055500017"),
        ("phoneNumber=+01055500017", "+201055500017", "01055500017"),
        ("phoneNumber=966501234567", "+966501234567", "966501234567"),
        ("phoneNumber=227370117.0", "+20227370117", "227370117.0"),
        ("phoneNumber=27370013", "+2027370013", "27370013"),
        ("phoneNumber=0133212345", "+20133212345", "0133212345"),
        (
            "email=" + quote_plus("نادية@example.org"),
            "xn--mgber4gwa@example.org",
            "نادية@example.org",
        ),
    ],
)
def test_a_plus_that_was_not_escaped_and_other_odd_ones(resident, sent, value, back):
    answer = resident.post(
        "Update",
        f"api=AddContact&blockId=1&apartmentId=2&{sent}",
        content_type="application/x-www-form-urlencoded",
    ).json()
    assert back in str(answer["data"]), answer
    assert person("resident").claims.filter(value=value).exists()


def test_sharp_s_is_not_ss(resident):
    for email in ("a@straße.example", "a@strasse.example"):
        assert "data" in resident.add(email=email, blockId=1, apartmentId=2), email
    assert SecondaryEmail.objects.filter(claim__value="a@xn--strae-oqa.example").exists()


def test_a_phone_is_shown_in_one_spelling(resident):
    for typed in ("tel:+20 112 233 4455", "02 2737-0010 ext 12", "+1 (202) 5550143"):
        resident.add(phoneNumber=typed, blockId=1, apartmentId=2)
    page = Desk("manager").text(f"{RESIDENT}change/")
    for shown in ("01122334455", "0227370010 ext. 12", "+1 202-555-0143"):
        assert f">{shown}<" in page
    # Yet the app gets back what was typed there.
    assert SecondaryPhone.objects.filter(typed="tel:+20 112 233 4455").exists()
    User.objects.filter(pk=3).update(phone="0020 100 000 0002")
    assert ">01000000002<" in Desk("manager").text("contacts/user/")


def test_a_number_that_was_taken_once_serves_and_is_told_of():
    User.objects.filter(pk=3).update(phone="0105550016")
    Claim.objects.filter(user=3, kind="phone").update(value="+20105550016")
    assert signs_in("0105550016")
    out = io.StringIO()
    call_command("check_data", "--json", stdout=out, stderr=io.StringIO())
    warnings = [each["what"] for each in json.loads(out.getvalue())["warnings"]]
    assert any(
        what.startswith("Person 3: the phone ••••••0016 cannot be one: ") for what in warnings
    )
    assert is_named_to_a_command("010 555 0016")


def test_claims_on_domains_of_former_rules_are_renewed():
    other = SecondaryEmail.objects.create(
        user_id=3,
        claim=Claim.objects.create(user_id=3, kind="email", value="a@strasse.example"),
        typed="A@Straße.example",
    )
    User.objects.filter(pk=3).update(email="rami@fußball.example")
    Claim.objects.filter(user=3, value="resident@example.org").update(value="rami@fussball.example")
    migration = import_module("contacts.migrations.0008_idna_2008")
    migration.renew(apps, None)
    other.claim.refresh_from_db()
    assert other.claim.value == "a@xn--strae-oqa.example"
    assert signs_in("RAMI@FUßBALL.example") and not signs_in("rami@fussball.example")


# --- Names -----------------------------------------------------------------------------------------


@pytest.fixture
def desk():
    return Desk("admin")


# In the database a name has nothing invisible; what is left of a picture's parts stays.
NAMES = {
    "\u202eRami\u202c R": "Rami R",
    "Rami\u200f\u00a0\u00a0Resident\u2069": "Rami Resident",
    "ra\u00admi 🌸 \u200bR": "rami 🌸 R",
    "👩\u200d👧 R": "👩\u200d👧 R",
}
INVISIBLE_NAME = "\u200b\u202e\u2066\u3164"


@pytest.mark.parametrize(("typed", "stored"), NAMES.items())
def test_a_name_is_stored_without_what_nobody_sees(tmp_path, monkeypatch, typed, stored):
    desk = Desk("admin")
    desk.send(f"{RESIDENT}name/", name=typed, reason="\u202emisspelt")
    assert User.objects.get(pk=3).name == stored
    desk.send("buildings/apartment/6/move-in/", name=typed, phone="01012345678")
    desk.send("buildings/block/1/change/", name=typed, number="9\u200f")
    desk.send("buildings/building/1/change/", name_en=typed)
    desk.send("buildings/apartment/2/change/", name=typed, note=typed, floor="\u200f٣")
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "palm-gardens-9")
    call_command("createsuperuser", login="boss@example.org", interactive=False, name=typed)
    assert User.objects.get(email="boss@example.org").name == stored
    imported(tmp_path, "email", ["a@example.org"], name=typed)
    assert User.objects.get(email="a@example.org").name == stored
    unit, block = Apartment.objects.get(pk=2), Block.objects.get(pk=1)
    assert (block.number, unit.floor) == ("9", 3)
    written = [unit.name, unit.note, block.name, Building.objects.get(pk=1).name_en]
    written.append(User.objects.get(phone="01012345678").name)
    assert {" ".join(each.split()) for each in written} == {stored}


def test_what_nobody_sees_is_no_name(desk, nothing_changed):
    for path, field in (
        (f"{RESIDENT}name/", "name"),
        ("buildings/building/1/change/", "name_en"),
        ("buildings/block/1/change/", "number"),
    ):
        typed = {field: INVISIBLE_NAME} | ({"name_ar": " \u200f"} if field == "name_en" else {})
        assert desk.send(path, **typed).status_code == 200, path
    for place in ({"longitude": "181"}, {"latitude": "-90.5"}):
        assert desk.send("buildings/block/1/change/", **place).status_code == 200
    assert nothing_changed()


def test_a_password_is_never_cleaned(client):
    resident = person("resident")
    resident.set_password("\u200bpalm-gardens\u00a09")
    resident.save()
    for password, answer in (("\u200bpalm-gardens\u00a09", 200), ("palm-gardens 9", 401)):
        sent = client.post(LOGIN, {"email": "01000000002", "password": password})
        assert sent.json()["status"] == answer
    manager = person("manager")
    manager.set_password("\u200bpalm-gardens\u00a09")
    manager.save()
    form = {"username": "01000000001", "password": "\u200bpalm-gardens\u00a09"}
    assert client.post("/admin/login/?next=/admin/", form).status_code == 302


# --- Any decoration ----------------------------------------------------------------------------------

INVISIBLE = st.sampled_from(
    "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060"
    "\u2066\u2067\u2068\u2069\ufe00\ufe0f\ufeff\U000e0001"
)
BLANKS = st.sampled_from(" \u00a0\u2002\u2007\u2009\u202f\u3000")
DASHES = st.sampled_from("-\u2010\u2011\u2012\u2013\u2014\u2212")
BETWEEN_DIGITS = st.one_of(st.just(""), st.just(""), INVISIBLE, BLANKS, DASHES)
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


@st.composite
def phones(draw):
    spelt = draw(st.sampled_from(["01000000002", "+201000000002", "00201000000002", "1000000002"]))
    digits = [draw(st.sampled_from([each, each.translate(ARABIC)])) for each in spelt]
    between = [draw(BETWEEN_DIGITS) for _ in digits[1:]]
    if spelt[0] == "+":
        between[0] = draw(st.one_of(st.just(""), INVISIBLE))
    around = st.lists(st.one_of(INVISIBLE, BLANKS), max_size=3).map("".join)
    inside = "".join(a + b for a, b in zip(digits, [*between, ""], strict=True))
    return draw(around) + inside + draw(around)


@st.composite
def decorated(draw, text):
    inside = "".join(each + draw(st.one_of(st.just(""), INVISIBLE)) for each in text)
    around = st.lists(st.one_of(INVISIBLE, BLANKS), max_size=3).map("".join)
    return draw(around) + inside + draw(around)


few = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@few
@given(contact=phones() | decorated("resident@example.org"), name=decorated("Rami Resident"))
def test_any_decoration_means_the_same_on_every_way_in(tmp_path_factory, app, contact, name):
    desk = Desk("manager")
    assert signs_in(contact)
    assert is_their_own_in_the_app(app("resident"), contact)
    assert is_their_own_in_the_back_office(desk, contact)
    assert is_found(desk, contact)
    assert is_named_to_a_command(contact)
    assert told(desk.send(f"{RESIDENT}name/", name=name)) == "No changes."
    column = "email" if "@" in contact else "phone"
    report = imported(tmp_path_factory.mktemp("table"), column, [contact], number=2, name=name)
    assert (report.get("people"), report.get("memberships")) == (0, 0), report
