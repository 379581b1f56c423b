"""Rows of the quarantine in words: what they are, what they say, and what is to be done about each reason."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from omarty.backoffice.base.labels import listed_phrases
from omarty.legacy.models import QuarantinedRow, QuarantineReason

Reason = QuarantineReason

TABLES = {
    "Resident_User": gettext_lazy("Person"),
    "places": gettext_lazy("Building"),
    "Block": gettext_lazy("Block"),
    "Apartment": gettext_lazy("Unit"),
    "RES_APART_BLOCK_ROLE": gettext_lazy("Membership"),
    "PhoneNums": gettext_lazy("Further phone"),
    "Emails": gettext_lazy("Further e-mail"),
    "Logs": gettext_lazy("Log row"),
}

# What the columns are called that say something to a reader, in the order in which they are read.
_COLUMNS = {
    "Name": gettext_lazy("name"),
    "UserName": gettext_lazy("name in the app"),
    "PhoneNum": gettext_lazy("phone"),
    "Email": gettext_lazy("e-mail"),
    "CompundName": gettext_lazy("Arabic name"),
    "CompoundNameEN": gettext_lazy("English name"),
    "StreetName": gettext_lazy("street"),
    "RegionName": gettext_lazy("region"),
    "CityName": gettext_lazy("city"),
    "GovernateName": gettext_lazy("governorate"),
    "CountryName": gettext_lazy("country"),
    "BlockNum": pgettext_lazy("block", "number"),
    "BlockName": pgettext_lazy("block", "name"),
    "ApartmentNumber": pgettext_lazy("unit", "number"),
    "ApartmentName": pgettext_lazy("unit", "name"),
    "FloorNum": gettext_lazy("floor"),
    "NumberOfFloors": gettext_lazy("floors"),
    "NumberOfAppartments": gettext_lazy("units planned"),
    "Longitude": gettext_lazy("longitude"),
    "Latitude": gettext_lazy("latitude"),
    "Action": gettext_lazy("action"),
    "Date": gettext_lazy("date"),
    "ResidentID": gettext_lazy("person"),
    "UserID": gettext_lazy("person"),
    "ApartmentID": gettext_lazy("unit"),
    "BlockID": gettext_lazy("block"),
    "RoleID": gettext_lazy("role"),
    "StatusID": gettext_lazy("status"),
    "CreatedAt": gettext_lazy("registered"),
}
# Those that are the id of another row.
_REFERENCES = {"ResidentID", "UserID", "ApartmentID", "BlockID"}
_NOTHING = {"", "0", None}

ADVICE = {
    Reason.ID_UNUSABLE: gettext_lazy("Register it here by hand."),
    Reason.ID_TAKEN: gettext_lazy(
        "Another record had this id here before the import. Register this one by hand."
    ),
    Reason.LOST: gettext_lazy("Ask how it is written, and type it on the record's page."),
    Reason.NOT_PHONE: gettext_lazy(
        "Ask for the right number, and add it on the person's page: people sign in with it."
    ),
    Reason.NOT_EMAIL: gettext_lazy(
        "Ask for the right address, and add it on the person's page: people sign in with it."
    ),
    Reason.HELD: gettext_lazy(
        "Two people name it. Ask whose it is; if this person's, remove it from the other and add it here."
    ),
    Reason.OWN: gettext_lazy("Nothing: it is here already."),
    Reason.ENDED: gettext_lazy(
        "If the person is back, move them in on the unit's page; else nothing."
    ),
    Reason.LIMIT: gettext_lazy("Remove a contact of this person that serves no more, and add it."),
    Reason.SERVICE: gettext_lazy("Nothing: the register has no services."),
    Reason.NO_PERSON: gettext_lazy(
        "Nothing, unless the person is in quarantine: once they are in, the next import takes this row too."
    ),
    Reason.NO_BLOCK: gettext_lazy(
        "Nothing, unless the block is in quarantine: once it is in, the next import takes this row too."
    ),
    Reason.NO_PLACE: gettext_lazy("Complete the building's address on its page."),
    Reason.NO_UNIT: gettext_lazy(
        "If the person lives in the block, move them in on the right unit's page."
    ),
    Reason.UNIT_ELSEWHERE: gettext_lazy(
        "Ask in which block the person lives, and move them in on the unit's page."
    ),
    Reason.ROLE_UNKNOWN: gettext_lazy(
        "Ask what the person is in the block, and move them in on the unit's page."
    ),
    Reason.STATUS_UNKNOWN: gettext_lazy(
        "It came in as pending, a unit as vacant. Set what is right on the record's page."
    ),
    Reason.PASSWORD_UNKNOWN: gettext_lazy(
        "The person cannot sign in: give them a password by manage.py changepassword."
    ),
    Reason.NUMBER_TAKEN: gettext_lazy(
        "Two units had one number. Give this one its own, or merge the two if they are one."
    ),
    Reason.OUT_OF_RANGE: gettext_lazy("Type what is right on the record's page."),
    Reason.TOO_LONG: gettext_lazy("Shorten it on the record's page so that it can be understood."),
    Reason.NOT_A_PLACE: gettext_lazy("Type the coordinates on the block's page, if they matter."),
    Reason.NO_DATE: gettext_lazy(
        "Correct the date at the source and import again; else the row stays here, for the record."
    ),
    Reason.MOVED: gettext_lazy(
        "There it belongs to somebody or something else now: compare the two, and do it here by hand."
    ),
    Reason.CHANGED_HERE: gettext_lazy(
        "Both were changed: compare the two, and type the other one here if that is right."
    ),
}


def kind(row: QuarantinedRow) -> str:
    """What kind of row it is; the table's own name for one that is not known."""
    return str(TABLES.get(row.table, row.table))


def facts(row: QuarantinedRow, *, whole: bool) -> list[tuple[str, str]]:
    """What the row says, label by label; of one column's value only that and names, unless `whole`."""
    wrong = row.column.partition(" ")[0]
    shown = [wrong, "Name", "UserName"] if wrong and not whole else list(_COLUMNS)
    return [
        (str(_COLUMNS.get(column, column)), _value(column, row.source[column]))
        for column in dict.fromkeys(shown)
        if row.source.get(column) not in _NOTHING
    ]


def in_words(row: QuarantinedRow) -> str:
    """The row in one line."""
    said = [
        _("%(label)s: %(value)s") % {"label": label, "value": value}
        for label, value in facts(row, whole=False)
    ]
    return listed_phrases(said)


def _value(column: str, value: Any) -> str:
    return f"#{value}" if column in _REFERENCES else str(value)
