"""Whatever text is read, a reader gives what it promises or raises what it names: never anything else."""

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.test import Client, RequestFactory, override_settings
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from audit.seal_file import SealFileProblem, readings
from audit.sealing import SealLine
from buildings.unit_import.cells import CellProblem
from buildings.unit_import.columns import COLUMNS
from contacts.authentication import parse_login
from contacts.canonical import one_line, western_digits
from contacts.emails import canonical_email, tidy_email
from contacts.masking import masked_contacts
from contacts.models import Kind
from contacts.phones import canonical_phone, shown_phone, tidy_phone
from contacts.text import folded, repaired
from omarty.api.envelopes import CallRefused
from omarty.api.fields import LATITUDE, LONGITUDE, Integer, Text, as_text
from omarty.api.tokens import Access, Refresh, read, user_id
from omarty.backoffice.base.forms import DayField, FractionField, WholeNumberField
from omarty.backoffice.base.request_limits import row_id
from omarty.client_address import client_ip
from omarty.legacy.dates import moment
from omarty.legacy.parsing import coordinate, reference, whole
from omarty.tables.cells import plain, safe
from omarty.tables.reading import TableFile, TableProblem
from omarty.tables.writing import writer
from tests.backoffice import Desk
from tests.conftest import ONCE

# Nothing here depends on the database.
pytestmark = ONCE

many = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

ANY = st.text(st.characters())
# What stands near to a phone, an e-mail, a number or a day.
NEAR = st.text(
    st.sampled_from("0123456789٠١٢٣۴۵+-().@/: \t\u200e\u202ee_,;'\"=xAأ٫−T"), max_size=40
)
TEXT = ANY | NEAR
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY, inner, max_size=3),
    max_leaves=5,
)


def allowed(error, act, *arguments):
    """What it returns; None where it raises the exception that it names."""
    try:
        return act(*arguments)
    except error:
        return None


# --- contacts --------------------------------------------------------------------------------------


@many
@given(TEXT)
def test_a_phone_is_a_number_or_a_value_error(text):
    number = allowed(ValueError, canonical_phone, text)
    if number is not None:
        assert number[0] == "+" and number[1:].isascii() and number[1:].isdigit()
        assert canonical_phone(number) == number == canonical_phone(tidy_phone(text))
        assert canonical_phone(shown_phone(text)) == number


@many
@given(TEXT | st.emails())
def test_an_email_is_an_address_or_a_value_error(text):
    address = allowed(ValueError, canonical_email, text)
    if address is not None:
        assert address.isascii() and address == address.lower() and len(address) <= 254
        assert (
            canonical_email(address) == address == canonical_email(f" {text.upper()} ")
            or not text.isascii()
        )
        assert canonical_email(tidy_email(text)) == address


@many
@given(TEXT)
def test_a_sign_in_name_is_one_kind_or_none(text):
    found = parse_login(text)
    if found is not None:
        kind, value = found
        assert kind in set(Kind) and kind.claimed(value) == value
        assert parse_login(value) == found


@many
@given(TEXT)
def test_tidying_a_text_twice_is_tidying_it_once(text):
    for tidy in (one_line, western_digits, tidy_phone, masked_contacts, folded):
        once = tidy(text)
        assert tidy(once) == once or tidy is masked_contacts
    assert "\n" not in one_line(text)


# --- the app ---------------------------------------------------------------------------------------


@many
@given(JSON, st.integers(-100, 0), st.integers(1, 100))
def test_a_whole_number_lies_in_its_range_or_is_refused(value, lowest, highest):
    field = Integer("n", lowest, highest)
    number = allowed(CallRefused, field.read, {"n": value})
    assert number is None or lowest <= number <= highest
    assert number is None or type(number) is int


@many
@given(JSON)
def test_a_text_is_text_without_what_no_database_holds(value):
    text = Text("t").read({"t": value})
    assert text is None or (text == text.strip() and "\x00" not in text)
    as_text(value).encode()


@many
@given(JSON)
def test_coordinates_lie_on_earth_or_are_refused(value):
    for field in (LONGITUDE, LATITUDE):
        degrees = allowed(CallRefused, field.read, {field.name: value})
        assert degrees is None or abs(degrees) <= field.limit
        assert degrees is None or degrees.as_tuple().exponent == -7


@many
@given(TEXT | st.text(st.sampled_from("abcXYZ019._-="), max_size=200))
@example("\ud800")
def test_what_is_no_token_of_ours_is_refused(text):
    for kind in (Access, Refresh):
        with pytest.raises(CallRefused):
            read(kind, text)


@many
@given(JSON)
def test_a_token_names_a_person_by_a_number_or_is_refused(claimed):
    token = Access()
    token["id"] = claimed
    number = allowed(CallRefused, user_id, token)
    assert number is None or 0 <= number < 10**18


@many
@given(TEXT, TEXT, st.integers(0, 3))
def test_an_address_is_one_or_none_whatever_a_proxy_says(peer, forwarded, proxies):
    request = RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=forwarded)
    with override_settings(PROXIES=proxies):
        found = client_ip(request)
    assert found is None or ({":", "."} & set(found) and "%" not in found)


@settings(many, max_examples=25)
@given(TEXT)
def test_a_request_has_an_id_of_ours_whatever_it_claims(text):
    answer = Client().get("/healthz", headers={"X-Request-ID": text})
    assert len(answer["X-Request-ID"]) == 36 and answer["X-Request-ID"] != text


# --- tables ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "column", [each for each in COLUMNS if each.read], ids=lambda each: each.key
)
@many
@given(text=TEXT)
def test_a_cell_is_read_or_is_a_cell_problem(column, text):
    allowed(CellProblem, column.read, text)


@many
@given(TEXT)
def test_a_cell_goes_out_and_comes_in_unchanged(text):
    printable = one_line(text)
    out = safe(printable)
    if printable == printable.replace("\ufffd", ""):
        assert plain(out) == printable or "\ufffd" in out
    assert not out.startswith(tuple("=+@\t\r＝＋－＠|%"))


@many
@given(st.binary(max_size=400) | TEXT.map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_a_file_is_a_table_or_a_table_problem(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any"
    for start in (b"", b"number,name\n", b"PK\x03\x04"):
        path.write_bytes(start + content)
        for _, cells in allowed(TableProblem, lambda: list(TableFile(path).rows())) or []:
            assert all(isinstance(cell, str) and "\n" not in cell for cell in cells)


@settings(many, max_examples=50)
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@given(rows=st.lists(st.lists(TEXT.map(one_line), min_size=2, max_size=2), max_size=4))
def test_what_is_written_is_read_back(tmp_path_factory, kind, rows):
    path = tmp_path_factory.getbasetemp() / f"table.{kind}"
    file = io.BytesIO()
    with writer(kind, file, ["number", "name"]) as table:
        for row in rows:
            table.write(row)
    path.write_bytes(file.getvalue())
    found = [cells for _, cells in TableFile(path).rows()][1:]
    expected = [[plain(one_line(repaired(safe(cell)))) for cell in row] for row in rows if any(row)]
    assert [cells[: len(row)] for cells, row in zip(found, expected, strict=True)] == [
        row[: len(cells)] for cells, row in zip(found, expected, strict=True)
    ]


# --- moving in, the back-office, the seals ------------------------------------------------------------


@many
@given(TEXT | st.none())
def test_legacy_values_are_read_or_unknown(text):
    at, number, other = moment(text), whole(text), reference(text)
    assert at is None or (isinstance(at, datetime) and at.tzinfo is UTC)
    assert number is None or abs(number) < 2**63
    assert other is None or other > 0
    degrees = allowed(ValueError, coordinate, text, 90)
    assert degrees is None or (isinstance(degrees, Decimal) and abs(degrees) <= 90)


@many
@given(TEXT)
def test_a_field_of_a_page_is_read_or_refused(text):
    for field in (WholeNumberField(min_value=-20, max_value=200), FractionField(), DayField()):
        allowed(ValidationError, field.clean, text)
    number = row_id(text)
    assert number is None or 0 <= number < 10**18


LISTS = ("buildings/apartment", "buildings/membership", "contacts/user", "audit/entry")
FILTERS = ("q", "block", "o", "p", "use", "role", "status", "older", "request", "at__range__gte")


@settings(many, max_examples=80)
@given(st.sampled_from(LISTS), st.sampled_from(FILTERS), TEXT)
def test_a_list_answers_whatever_its_filters_hold(path, name, text):
    query = QueryDict(mutable=True)
    query[name] = text.encode("utf-8", "replace").decode()
    answer = Desk("manager").get(f"/admin/{path}/?{query.urlencode()}")
    assert answer.status_code in {200, 302, 400}


@many
@given(TEXT | JSON.map(lambda value: json.dumps(value)))
def test_a_line_of_the_seal_file_is_a_seal_or_a_value_error(tmp_path_factory, text):
    allowed(ValueError, SealLine.from_json, text)
    path: Path = tmp_path_factory.getbasetemp() / "seals"
    path.write_bytes(text.encode("utf-8", "replace") + b"\n")
    for reading in allowed(SealFileProblem, lambda: list(readings(path))) or []:
        assert reading.changed or reading.line is not None


@many
@given(st.lists(st.lists(NEAR, max_size=3), max_size=3))
def test_csv_of_anybody_is_a_table_or_a_table_problem(tmp_path_factory, rows):
    path = tmp_path_factory.getbasetemp() / "csv"
    text = io.StringIO()
    csv.writer(text).writerows([["number"], *rows])
    path.write_text(text.getvalue())
    allowed(TableProblem, lambda: list(TableFile(path).rows()))
