"""How every page of the back-office is served: its language, its policy, where it leads."""

import gzip
import html
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils.translation import ngettext, override

from audit.models import Entry
from buildings.models import Apartment, Block
from tests.backoffice import Desk, fields_of, told

CATALOGUE = Path(settings.BASE_DIR) / "locale" / "ar" / "LC_MESSAGES" / "django"
PAGES = ("/admin/login/", "/omartyapis/docs/", "/admin/nowhere/", "/healthz")


@pytest.fixture
def desk():
    return Desk("manager")


# --- Nothing from elsewhere ----------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_says_that_nothing_comes_from_elsewhere(path):
    policy = Client().get(path)["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def test_no_page_names_another_server(desk):
    for path in ("", "buildings/apartment/", "audit/entry/", "contacts/user/"):
        page = desk.text(path)
        assert not re.search(r'(?:src|href|action)="(?:https?:)?//', page), path
        assert not re.search(r"<script(?![^>]*(?:src=|application/json))", page), path
        assert not re.search(r"\son\w+=\"|\sstyle=\"", page), path


# --- Over a slow line ----------------------------------------------------------------------------

STYLE = "/static/omarty/pages.css"


def test_static_files_are_compressed_without_being_collected():
    whole = b"".join(Client().get(STYLE))
    answer = Client().get(STYLE, headers={"Accept-Encoding": "gzip, br"})
    assert answer["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answer["Vary"]
    packed = b"".join(answer)
    assert gzip.decompress(packed) == whole
    assert len(packed) < len(whole) / 2


def test_what_a_browser_has_already_is_not_sent_again():
    first = Client().get(STYLE, headers={"Accept-Encoding": "gzip"})
    assert b"".join(first)
    headers = {"Accept-Encoding": "gzip", "If-None-Match": first["ETag"]}
    answer = Client().get(STYLE, headers=headers)
    assert (answer.status_code, b"".join(answer)) == (304, b"")


def test_a_part_of_a_file_is_sent_as_it_is():
    headers = {"Accept-Encoding": "gzip", "Range": "bytes=0-9"}
    answer = Client().get(STYLE, headers=headers)
    assert (answer.status_code, answer.has_header("Content-Encoding")) == (206, False)
    assert b"".join(answer) == b"".join(Client().get(STYLE))[:10]


def test_no_script_keeps_a_list_from_being_shown(desk):
    for path in ("buildings/apartment/", "contacts/user/", "audit/entry/"):
        scripts = re.findall(r"<script src[^>]*>", desk.text(path))
        blocking = [each for each in scripts if " defer" not in each]
        assert all("theme.js" in each or "jsi18n" in each for each in blocking), blocking


# --- Languages -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "buildings/block/1/change/",
        "buildings/apartment/2/change/",
        "buildings/apartment/2/move-in/",
        "contacts/user/3/change/",
    ],
)
def test_no_script_keeps_a_form_from_being_shown(desk, path):
    scripts = re.findall(r"<script[^>]*src=[^>]*>", desk.page(path).content.decode())
    held_up = [each for each in scripts if not re.search(r"\b(defer|async)\b", each)]
    # Before the first paint it says whether the page is dark.
    assert len(held_up) == 1 and "theme.js" in held_up[0] and len(scripts) > 5


def test_the_sign_in_page_is_in_the_browsers_language():
    page = Client().get("/admin/login/", headers={"Accept-Language": "ar-EG,ar;q=0.9"})
    text = page.content.decode()
    assert '<html lang="ar" dir="rtl">' in text
    assert "البريد الإلكتروني أو الهاتف" in text


def test_the_language_is_switched_on_every_page_and_stays(desk):
    page = desk.text("buildings/apartment/", block="1")
    assert 'name="next" value="/admin/buildings/apartment/?block=1"' in page
    response = desk.post("/language/", {"language": "ar", "next": "/admin/"})
    assert response["Location"] == "/admin/"
    assert '<html lang="ar" dir="rtl">' in desk.text("")
    assert "الوحدات" in desk.text("")


def test_the_switch_leads_nowhere_else(desk):
    response = desk.post("/language/", {"language": "ar", "next": "https://example.com/"})
    assert response["Location"] == "/"


def test_dates_cannot_be_read_the_wrong_way_round(desk):
    assert re.search(r"\d{1,2} [A-Z][a-z]{2} \d{4}, \d{2}:\d{2}", desk.text("audit/entry/"))


@pytest.mark.parametrize("path", ["", "audit/entry/"])
def test_moments_are_written_as_browsers_read_them(desk, path):
    moments = re.findall(r'<time datetime="([^"]*)">', desk.text(path))
    assert moments
    for each in moments:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", each), each


def test_the_app_gets_english_whatever_its_language(app):
    app("manager").client.cookies["django_language"] = "ar"
    answer = app("manager").create(floorNum=1, aptNum=1, blockId=1)
    assert answer["message"] == "Apartment already registered."


@pytest.mark.skipif(shutil.which("msgfmt") is None, reason="gettext is not installed")
def test_the_catalogue_is_whole_and_compiled(tmp_path):
    compiled = tmp_path / "django.mo"
    subprocess.run(["msgfmt", "--check-format", "-o", compiled, f"{CATALOGUE}.po"], check=True)
    assert compiled.read_bytes() == Path(f"{CATALOGUE}.mo").read_bytes(), "run `make messages`"
    for attribute in ("--untranslated", "--only-fuzzy", "--only-obsolete"):
        found = subprocess.run(
            ["msgattrib", attribute, "--no-wrap", f"{CATALOGUE}.po"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        assert not re.findall(r'^(?:#~ )?msgid ".+"', found, re.M), attribute


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="gettext is not installed")
def test_every_string_of_the_project_is_in_the_catalogue(tmp_path):
    root = Path(settings.BASE_DIR)
    for name in ("audit", "buildings", "contacts", "omarty", "locale", "manage.py"):
        part = root / name
        (shutil.copytree if part.is_dir() else shutil.copy)(part, tmp_path / name)
    before = ids(tmp_path / "locale/ar/LC_MESSAGES/django.po")
    subprocess.run(
        [sys.executable, "-m", "django", "makemessages", "--locale", "ar", "--no-location"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    missing = ids(tmp_path / "locale/ar/LC_MESSAGES/django.po") - before
    assert missing == set(), "run `make messages` and translate"


def ids(catalogue):
    found = subprocess.run(
        ["msgattrib", "--no-obsolete", "--no-wrap", catalogue],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return set(re.findall(r'^msgid "(.+)"', found, re.M))


# --- Where pages lead ----------------------------------------------------------------------------------


def test_the_header_leads_to_every_list_in_the_order_of_daily_use(desk):
    page = desk.text("")
    lists = re.findall(r'<a href="/admin/(\w+/\w+)/"', page[: page.index("</nav>")])
    assert lists == [
        "buildings/apartment",
        "buildings/membership",
        "contacts/user",
        "buildings/block",
        "audit/entry",
    ]


@pytest.mark.parametrize("path", ["buildings/apartment/", "audit/entry/", "contacts/user/"])
def test_a_list_without_rows_says_what_to_do(desk, path):
    page = desk.text(path, q="nobody is called so")
    assert "Nothing here matches." in page
    assert '<a href="?">Show the whole list</a>' in page


# --- Arabic ------------------------------------------------------------------------------------------


def test_a_change_is_called_a_change_and_not_an_addition_in_arabic():
    desk = Desk("manager", language="ar")
    assert told(desk.send("buildings/apartment/2/change/", floor="3")) == (
        'تم حفظ التعديل: وحدة «<a href="/admin/buildings/apartment/2/change/">2</a>».'
    )
    rows = fields_of(desk.page("buildings/apartment/", edit="1"))
    changed = {"form-2-floor": "7", "form-3-floor": "7", "form-4-floor": "7", "_save": ""}
    answer = desk.post("/admin/buildings/apartment/", rows | changed)
    assert told(answer) == "تم حفظ التعديل في 3 سجلات (الوحدات)."
    added = desk.send("buildings/apartment/add/", block="1", number="90", floor="9")
    assert told(added).startswith("تمت الإضافة: وحدة «")


def test_the_scripts_of_the_lists_say_right_arabic_too():
    said = json.dumps("لم يُحدَّد شيء من").strip('"')
    assert said in Desk("manager", language="ar").text("jsi18n/")


def test_leaving_a_page_is_not_called_closing(desk):
    assert re.search(r'class="closelink">Back<', desk.text("buildings/block/1/change/"))


def test_filters_are_called_by_their_titles(desk):
    page = desk.text("buildings/apartment/")
    assert "<summary>Needs correction</summary>" in page
    assert "<summary>Floor</summary>" in page


# --- How things are typed ------------------------------------------------------------------------------


def test_phones_and_e_mails_run_from_left_to_right_in_arabic():
    desk = Desk("manager", language="ar")
    moving_in = desk.text("buildings/apartment/6/move-in/")
    assert re.search(r'<input[^>]*name="phone"[^>]*dir="ltr" inputmode="tel"', moving_in)
    assert re.search(r'<input[^>]*name="email"[^>]*dir="ltr"[^>]*inputmode="email"', moving_in)
    phone = desk.text("contacts/user/3/edit/", contact="phone")
    assert re.search(r'<input[^>]*name="typed"[^>]*dir="ltr"[^>]*inputmode="tel"', phone)
    assert re.search(r'<input[^>]*name="q"[^>]*dir="auto"', desk.text("contacts/user/"))
    assert re.search(
        r'<input[^>]*name="username"[^>]*dir="auto"', Client().get("/admin/login/").text
    )


@pytest.mark.parametrize("typed", ["١٢", "۱۲", " 12 ", "\u200f١٢"])
def test_numbers_are_typed_in_arabic_and_persian_digits(desk, typed):
    assert desk.send("buildings/apartment/2/change/", floor=typed).status_code == 302
    assert Apartment.objects.get(pk=2).floor == 12
    assert desk.rows("buildings/apartment/", floor__range__gte=typed) == [2]


def test_floors_below_the_ground_are_typed_with_either_minus(desk):
    desk.send("buildings/apartment/2/change/", floor="−٢")
    assert Apartment.objects.get(pk=2).floor == -2


@pytest.mark.parametrize(
    "path",
    ["buildings/apartment/", "buildings/apartment/add/", "buildings/block/1/add-floors/"],
)
def test_no_field_ignores_arabic_digits_without_a_word(desk, path):
    assert 'type="number"' not in desk.text(path)


def test_a_filter_says_what_is_wrong_with_its_number(desk):
    page = desk.text("buildings/apartment/", floor__range__gte="ground")
    assert "Type a whole number in digits, such as 12." in page


def test_what_must_be_filled_in_is_marked(desk):
    page = desk.text("buildings/apartment/6/move-in/")
    assert re.search(r'<label for="id_day" class="required"', page)
    assert not re.search(r'<label for="id_name" class="required"', page)
    assert "Fields marked with * are required." in page


def test_nothing_stray_follows_the_links_of_the_password_page(desk):
    header = desk.text("password_change/").split("</header>")[0]
    assert " /\n" not in re.sub(r"<[^>]+>", "", header)


# --- What is in force, and what things are called --------------------------------------------------------


def in_force(page):
    return [
        (re.sub(r"<[^>]+>", "", text).removesuffix(" ×"), html.unescape(link))
        for link, text in re.findall(r'<li><a href="([^"]*)" title="[^"]*">(.*?)</a></li>', page)
    ]


def test_filters_in_force_stand_above_the_list_each_with_the_way_out_of_it(desk):
    path = "buildings/apartment/"
    query = {"block": "1", "floor__range__gte": "0", "floor__range__lte": "1", "use": "all"}
    page = desk.text(path, **query, occupancy__exact="vacant", q="1")
    told_of = dict(in_force(page))
    assert list(told_of) == [
        "Block: 1",
        "Floor: from 0 to 1",
        "Occupancy: Vacant",
        "In use or retired: All",
    ]
    without = told_of["Floor: from 0 to 1"]
    assert "floor" not in without
    assert "occupancy__exact=vacant" in without
    assert "q=1" in without
    assert in_force(desk.text(path)) == []
    assert 'class="active-filters"' not in desk.text(path, q="1")


def test_what_narrows_the_audit_log_by_a_link_is_shown_too(desk):
    entry = Entry.objects.filter(block_id=1, person_id=3).latest("pk")
    page = desk.text("audit/entry/", request=str(entry.request_id), person="3")
    assert [text for text, _link in in_force(page)] == [
        "Person: Rami Resident",
        "Change: All entries of one change",
    ]


def test_blocks_and_units_are_called_so_in_words():
    english, arabic = Desk("manager"), Desk("manager", language="ar")
    assert "<li>Pakinam Pending, block 1, unit 3</li>" in english.text(
        "buildings/membership/4/approve/"
    )
    assert "<li>Pakinam Pending، العمارة 1، الوحدة 3</li>" in arabic.text(
        "buildings/membership/4/approve/"
    )
    assert "<h2>Block 1, unit 3</h2>" in english.text("buildings/apartment/3/close/")
    assert "<h2>العمارة 1، الوحدة 3</h2>" in arabic.text("buildings/apartment/3/change/")
    assert "Add floors to block 1" in english.text("buildings/apartment/")
    assert "العمارة 1، الوحدة 2" in arabic.text("contacts/user/")
    assert "العمارة 1، الوحدة 3" in arabic.text("audit/entry/")


def test_a_building_is_called_in_the_readers_language_and_in_one_only_in_the_audit_log():
    building = Block.objects.get(pk=1).building
    building.name_ar, building.name_en = "أبراج النيل", "Nile Towers"
    building.save()
    assert "Nile Towers" in Desk("manager").text("buildings/block/")
    arabic = Desk("manager", language="ar")
    assert "أبراج النيل" in arabic.text("buildings/block/")
    assert "Nile Towers" not in arabic.text("buildings/block/1/change/")
    with override("ar"):
        assert str(building) == "Nile Towers"


def test_coordinates_read_alike_in_both_languages():
    Block.objects.filter(pk=1).update(latitude="30.0444", longitude="31.2357")
    shown = '<bdi dir="ltr">30.0444, 31.2357</bdi>'
    assert shown in Desk("manager").text("buildings/block/1/change/")
    assert shown in Desk("manager", language="ar").text("buildings/block/1/change/")


def test_no_breadcrumb_is_named_twice():
    page = Desk("manager", language="ar").text("audit/entry/")
    crumbs = page.split('<div class="breadcrumbs">')[1].split("</div>")[0]
    assert crumbs.count("سجل العمليات") == 1


def test_arabic_counts_as_arabic_does():
    desk = Desk("manager", language="ar")
    assert told(desk.send("buildings/membership/4/approve/")) == "تم قبول شخص واحد."
    with override("ar"):
        numbers = {
            count: ngettext("%(count)d unit registered", "%(count)d units registered", count)
            % {"count": count}
            for count in (1, 2, 3, 11, 100)
        }
    assert list(numbers.values()) == [
        "سُجِّلت وحدة واحدة",
        "سُجِّلت وحدتان",
        "سُجِّلت 3 وحدات",
        "سُجِّلت 11 وحدة",
        "سُجِّلت 100 وحدة",
    ]


def test_a_status_agrees_with_what_it_is_said_of_in_arabic():
    """Memberships and blocks are feminine, people are not."""
    desk = Desk("manager", language="ar")
    assert ">نشطة</td>" in desk.text("buildings/membership/")
    assert ">نشط</div>" in desk.text("contacts/user/3/change/")


def test_a_phone_in_a_plan_runs_from_left_to_right(desk):
    page = desk.text("contacts/user/3/hide/", contact="phone")
    assert '<li>Phone: <bdi dir="ltr">01000000002</bdi></li>' in page


def test_who_named_nobody_at_sign_in_is_named_in_the_readers_words():
    Client().post("/admin/login/", {"username": "nobody", "password": "wrong"})
    for path in ("", "audit/entry/"):
        assert "neither an e-mail nor a phone" in Desk("admin").text(path)
        assert "ليس بريدًا ولا هاتفًا" in Desk("admin", language="ar").text(path)
