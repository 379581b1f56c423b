"""Names are found in any spelling, people by parts of a phone too; whatever writes a name keeps it so."""

import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.db import models
from hypothesis import given, settings
from hypothesis import strategies as st

from buildings.models import Apartment, Block, Building
from contacts.models import User
from contacts.text import folded, same_name
from tests.backoffice import Desk
from tests.conftest import person
from tests.proof import Log, sql

PEOPLE, UNITS, MEMBERSHIPS = "contacts/user/", "buildings/apartment/", "buildings/membership/"
TABLE = """number,floor,name,resident,phone
321,3,,أحمد علي,01055500051
601,6,عيادة د. منى,Иван Петров,01055500601
602,6,,Élodie Nabil,01055500602
603,6,,عبد الرحمن حسن,01055500603
604,6,,عبدالرحمن فتحي,01055500604
605,6,Shop 4,هدى مصطفي,01055500605
606,6,,Hala El-Sayed,+4915112345678
"""
ALI, IVAN, HUDA = {"أحمد علي"}, {"Иван Петров"}, {"هدى مصطفي"}
ABDO = {"عبد الرحمن حسن", "عبدالرحمن فتحي"}
OF_0105550060 = {"Иван Петров", "Élodie Nabil", *ABDO, *HUDA}


def load(path: Any, text: str, **options: Any) -> dict[str, Any]:
    """Import this table into block 1; the command's report."""
    path.write_text(text, encoding="utf-8")
    out = io.StringIO()
    call_command("import_units", str(path), block=1, stdout=out, stderr=io.StringIO(), json=True)
    return dict(json.loads(out.getvalue()))


@pytest.fixture
def community(tmp_path):
    load(tmp_path / "units.csv", TABLE)


def found(desk: Desk, term: str) -> set[str]:
    return {str(User.objects.get(pk=pk)) for pk in desk.rows(PEOPLE, q=term)}


TERMS = [
    ("احمد", ALI),
    ("أحمد على", ALI),
    ("احمد على", ALI),
    ("علي أحمد", ALI),
    ("أحمد  علي", ALI),
    ("\u200fأَحْـمَد\u00a0علی\u202c", ALI),
    ("أحمد", ALI),
    ("هدي مصطفى", HUDA),
    ("ИВАН", IVAN),
    ("elodie", {"Élodie Nabil"}),
    ("E\u0301LODIE", {"Élodie Nabil"}),
    ("عبد الرحمن", ABDO),
    ("عبدالرحمن", ABDO),
    ("حسن عبد الرحمان", set()),
    ("حسن عبدالرحمن", {"عبد الرحمن حسن"}),
    ("الرحمن حسن عبد", {"عبد الرحمن حسن"}),
    ("elsayed", {"Hala El-Sayed"}),
    ("EL SAYED hala", {"Hala El-Sayed"}),
    ("Resident Rami", {"Rami Resident"}),
    ("Rami Partner", set()),
    ("0105550060", OF_0105550060),
    ("500601", IVAN),
    ("5006", OF_0105550060),
    ("01055500601", IVAN),
    ("٠١٠٥٥٥٠٠٦٠١", IVAN),
    ("006", set()),
    ("(+20) 1055500051", ALI),
    ("(+20) 10555 000", ALI),
    ("201055500051+", ALI),
    ("+20 0105550005", ALI),
    ("00201055500051", ALI),
    ("002010555000", ALI),
    ("+49 151 1234", {"Hala El-Sayed"}),
    ("0049151", {"Hala El-Sayed"}),
    ("01055 500 601 ", IVAN),
    ("rami 01055500601", set()),
    ("RESIDENT@example", {"Rami Resident"}),
    ("%", set()),
    ("_", set()),
    ("😀", set()),
]


@pytest.mark.parametrize("name", ["manager", "admin"])
def test_people_are_found(community, name):
    desk = Desk(name)
    assert {term: found(desk, term) for term, _who in TERMS} == dict(TERMS)


@pytest.mark.parametrize("few", [20_000, 0])
def test_many_are_found_as_few_are(community, monkeypatch, few):
    monkeypatch.setattr("omarty.backoffice.base.search.FEW", few)
    for name in ("manager", "admin"):
        desk = Desk(name)
        assert found(desk, "عبد الرحمن") == ABDO
        assert found(desk, "500601") == IVAN
        assert [Apartment.objects.get(pk=pk).number for pk in desk.rows(UNITS, q="500601")] == [601]
        assert len(desk.rows(MEMBERSHIPS, q="0105550060")) == 5


def test_a_hidden_phone_is_found_by_no_part_of_it(community):
    desk, ivan = Desk("manager"), User.objects.get(name="Иван Петров")
    desk.send(f"{PEOPLE}{ivan.pk}/add-contact/", kind="phone", typed="01299988877")
    assert found(desk, "99988") == IVAN
    secondary = ivan.claims.get(value="+201299988877")
    desk.send(f"{PEOPLE}{ivan.pk}/hide/?contact=phone-{secondary.pk}", reason="asked")
    desk.send(f"{PEOPLE}{ivan.pk}/hide/?contact=phone", reason="asked")
    for each in (desk, Desk("admin")):
        for term in ("99988", "01299988877", "500601", "01055500601", "+201055500601"):
            assert found(each, term) == set()
        assert found(each, "иван") == IVAN


def test_others_people_are_found_by_nobody_else(community):
    assert found(Desk("neighbour"), "500601") == set() == found(Desk("neighbour"), "احمد")


@pytest.mark.parametrize(
    ("term", "numbers"),
    [
        ("\u200f321", [321]),
        ("32", [321]),
        ("٦٠٥", [605]),
        ("احمد", [321]),
        ("500601", [601]),
        ("مني عياده", [601]),
        ("4 SHOP", [605]),
        ("605 shop", []),
    ],
)
def test_units_are_found(community, term, numbers):
    rows = Desk("manager").rows(UNITS, q=term)
    assert [Apartment.objects.get(pk=pk).number for pk in rows] == numbers


def test_memberships_are_found_and_people_to_choose_from(community):
    desk = Desk("manager")
    assert len(desk.rows(MEMBERSHIPS, q="علي احمد")) == 1
    assert len(desk.rows(MEMBERSHIPS, q="0105550060")) == 5
    assert len(desk.rows(MEMBERSHIPS, q="60")) == 6
    field = {"app_label": "buildings", "model_name": "membership", "field_name": "user"}
    choices = desk.page("autocomplete/", term="على احمد", **field).json()["results"]
    assert len(choices) == 1 and choices[0]["text"].startswith("أحمد علي")


def test_blocks_and_buildings_are_found():
    admin = Desk("admin")
    Building.objects.filter(pk=1).update(name_ar="أبراج النّور", name_en="Nour Towers")
    Block.objects.filter(pk=2).update(number="٢٢", name="برج الهدى")
    assert admin.rows("buildings/building/", q="النور ابراج") == [1]
    assert admin.rows("buildings/building/", q="TOWERS") == [1]
    assert (
        admin.rows("buildings/block/", q="الهدي") == [2] == admin.rows("buildings/block/", q="22")
    )
    assert Desk("manager").rows("buildings/block/", q="الهدي") == []


def test_the_audit_log_is_searched_in_any_spelling(community):
    desk = Desk("manager")
    (ali,) = User.objects.filter(name="أحمد علي")
    assert set(desk.rows("audit/entry/", q="علي احمد")) == set(
        desk.rows("audit/entry/", person=str(ali.pk))
    )
    assert desk.rows("audit/entry/", q="احمد علي خالد") == []
    assert Desk("neighbour").rows("audit/entry/", q="احمد") == []


# --- The same name at import ---------------------------------------------------------------------

SAME = [
    "احمد علي",
    "\u200fأحمد علي\u200f",
    "أحمد علي",
    "أحمد على",
    "أحمد علی",
    "أَحْمَد   عـلي",
    "أحمدعلي",
    "م/ أحمد علي",
    "أ.د / أحمد علي",
    "د. احمد على",
    "Eng. أحمد علي",
    "الأستاذ أحمد علي",
]
OTHERS = ["علي أحمد", "أحمد", "أحمد علي حسن", "م", "السيد أحمد علي", "😀"]


def test_spellings_of_one_name_with_the_same_phone_are_one_person(tmp_path, community):
    rows = [f"{400 + n},4,,{name},01055500051" for n, name in enumerate(SAME)]
    report = load(tmp_path / "again.csv", "number,floor,name,resident,phone\n" + "\n".join(rows))
    assert (report["people"], report["memberships"]) == (0, len(SAME))
    assert User.objects.filter(phone="01055500051").get().name == "أحمد علي"


def test_spellings_within_one_table_are_one_person(tmp_path):
    rows = ["701,7,,م/ منى عبدالله,01055500701", "702,7,,مني عبد الله,01055500701"]
    report = load(tmp_path / "new.csv", "number,floor,name,resident,phone\n" + "\n".join(rows))
    assert (report["people"], report["memberships"]) == (1, 2)


@pytest.mark.parametrize("name", OTHERS)
def test_another_name_with_the_same_phone_is_refused(tmp_path, community, name):
    row = f"number,floor,resident,phone\n400,4,{name},01055500051"
    (tmp_path / "other.csv").write_text(row, encoding="utf-8")
    out = io.StringIO()
    with pytest.raises(Exception, match="1 bad row"):
        call_command("import_units", str(tmp_path / "other.csv"), block=1, stdout=out, stderr=out)
    assert "is not the name" in out.getvalue()


# --- Whatever writes a name ----------------------------------------------------------------------


def stale() -> list[str]:
    """The rows that check_data finds searched by another name than they have."""
    out = io.StringIO()
    try:
        call_command("check_data", "--json", stdout=out, stderr=io.StringIO())
    finally:
        report = json.loads(out.getvalue())
        broken = [each["what"] for each in report["broken"] if each["rule"] == "folded names"]
    return broken


@pytest.fixture(autouse=True)
def log(tmp_path, settings):
    log = Log(tmp_path)
    settings.AUDIT_SEAL_FILE = log.file
    log.seal()
    return log


def test_check_data_finds_a_name_that_is_not_searched():
    sql("UPDATE contacts_user SET name = 'Ramy' WHERE id = 3")
    sql("UPDATE buildings_apartment SET folded = 'x' WHERE id = 5")
    with pytest.raises(Exception, match="2 problems"):
        stale()
    out = io.StringIO()
    with pytest.raises(Exception, match="problems"):
        call_command("check_data", stdout=out, stderr=io.StringIO())
    assert (
        "Person 3 is searched by another name than it has. /admin/contacts/user/3/"
        in out.getvalue()
    )
    assert "Unit 5 is searched by another name than it has." in out.getvalue()


def test_every_way_to_write_a_name_keeps_its_folded_form(tmp_path, community, settings):
    settings.DEBUG = True
    desk, admin = Desk("manager"), Desk("admin")
    call_command("demo", "--units=20", "--people=30", stdout=io.StringIO(), stderr=io.StringIO())
    load(tmp_path / "changed.csv", "number,name\n321,عيادة أسنان\n601,\n7001,محل ٣\n")
    desk.send(f"{PEOPLE}3/name/", name="رامي أحمد")
    desk.send(f"{UNITS}5/change/", name="مكتب إدارة")
    admin.send("buildings/building/1/change/", name_ar="إسكان")
    admin.send("buildings/block/1/change/", number="أ", name="برج ١")
    admin.send("buildings/building/add/", name_ar="مدينة الأمل")
    building = Building.objects.latest("pk").pk
    admin.send("buildings/block/add/", building=building, number="ج", name="برج الأمل")
    call_command("person_erase", "partner@example.org", "--reason=asked", stdout=io.StringIO())
    assert stale() == []
    assert person("resident").folded == "رامي احمد"
    units = Apartment.objects.filter(block=1, number__in=(321, 5, 7001)).order_by("number")
    assert [unit.folded for unit in units] == ["مكتب اداره", "عياده اسنان", "محل 3"]
    assert Building.objects.get(pk=1).folded.startswith("اسكان")
    assert Block.objects.get(pk=1).folded == "ا برج 1"
    # Nothing of a forgotten person is left.
    assert User.objects.get(erased_at__isnull=False).folded == ""


def test_every_way_of_the_orm_keeps_it_too():
    rami = User.objects.only("name").get(pk=3)
    rami.name = "رامى"
    rami.save()
    User.objects.filter(pk=2).update(name="Another")
    User.objects.filter(pk__in=(4, 5)).update(user_name=models.F("name"))
    sixth = User.objects.get(pk=6)
    sixth.user_name = "Séxto"
    User.objects.bulk_update([sixth], ["user_name"])
    Block.objects.bulk_create([Block(building_id=1, number="Z", name="Zéro")])
    Apartment.objects.update_or_create(block_id=1, number=1, defaults={"name": "Ûn"})
    assert stale() == []
    assert User.objects.get(pk=6).folded.endswith("sexto")
    assert Apartment.objects.get(block_id=1, number=1).folded == "un"


# --- contacts/text.py ----------------------------------------------------------------------------


def test_names_of_other_scripts_keep_their_vowels_and_lose_their_accents():
    assert not same_name("सीमा शर्मा", "सोमा शर्मा") and not same_name("সি", "স")
    assert folded("सीमा शर्मा") != folded("सोमा शर्मा")
    assert same_name("Yılmaz İnönü", "yilmaz inonu") and same_name("Zoë", "ZOE")
    assert folded("שָׁלוֹם") == folded("שלום")


def test_a_name_of_nothing_but_hamza_is_one_however_it_is_decorated():
    assert same_name("ءـ", "ء") and same_name("ء\u064eء", "ءء") and not same_name("ءء", "ء")


WORDS = st.text("ابتجدرسعلميءأإآؤئىةabcÉéßİıИи", min_size=1, max_size=8)
MARKS = st.sampled_from(
    ["\u200f", "\u200b", "\ufeff", "\u202e", "\u2069", "\u00ad", "ـ", "\u064e", "\u0651"]
)


@settings(deadline=None, max_examples=200)
@given(st.lists(WORDS, min_size=1, max_size=4), st.data())
def test_a_name_is_one_however_it_is_decorated(words, data):
    name = " ".join(words)
    decorated = "".join(letter + data.draw(st.just("") | MARKS) for letter in name)
    decorated = decorated.replace(" ", data.draw(st.sampled_from(["  ", "\u00a0", "\t", " - "])))
    assert folded(decorated) == folded(name) == folded(folded(name))
    assert same_name(decorated, name)
