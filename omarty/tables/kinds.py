"""What a file is that is no table, and what to save it as."""

import re
from collections.abc import Callable
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile

from django.utils.translation import gettext as _

from omarty.tables.xlsx_parsing import ShortReads, WorkbookProblem

_OLE = b"\xd0\xcf\x11\xe0"
_ZIP = b"PK\x03\x04"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_CHUNK = 1 << 20
_IMAGES = (
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"II*\x00",
    b"MM\x00*",
    b"RIFF",
    b"\x00\x00\x00\x18ftyp",
    b"\x00\x00\x00\x1cftyp",
)
_ARCHIVES = (b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"BZh9", b"\xfd7zXZ", b"PK\x05\x06")
_HTML = re.compile(rb"<(!doctype html|html|head|body|table|meta|style|div)\b", re.IGNORECASE)
_XHTML = re.compile(rb"<(!doctype html|html)\b", re.IGNORECASE)
_JSON = re.compile(rb'\{|\[\s*[\[{"]')
_OPEN_DOCUMENT = b"mimetypeapplication/vnd.oasis.opendocument."


def other_kind(file: BinaryIO, start: bytes) -> str:
    """What the file is in a sentence without its subject, the name; empty if it may be a table.

    `start` are its first bytes.
    """
    if start.startswith(_OLE):
        return _ole(file)
    if start.startswith(_ZIP):
        return _zip(file, start)
    for starts, sentence in _BY_START:
        if start.startswith(starts):
            return sentence()
    return _text(start)


def _ole(file: BinaryIO) -> str:
    file.seek(0)
    tail = b""
    while chunk := file.read(_CHUNK):
        if _ENCRYPTED in tail + chunk:
            return _(
                "is protected by a password: open it, take the password off"
                " (File > Info > Protect Workbook), and save it again."
            )
        tail = chunk[-len(_ENCRYPTED) :]
    return _("is an old Excel file; save it as XLSX or CSV.")


def _zip(file: BinaryIO, start: bytes) -> str:
    if _OPEN_DOCUMENT in start[:100]:
        return _("is an OpenDocument file (ODS); save it as XLSX or CSV.")
    file.seek(0)
    try:
        with ZipFile(ShortReads(file)) as archive:
            names = set(archive.namelist())
    except (BadZipFile, WorkbookProblem, ValueError, OSError, NotImplementedError):
        # Its reader says what is wrong.
        return ""
    if "xl/workbook.xml" in names:
        return ""
    if "xl/workbook.bin" in names:
        return _("is a binary workbook (XLSB); save it as XLSX or CSV.")
    if "word/document.xml" in names:
        return _("is a Word document; copy its table into a spreadsheet and save that as XLSX.")
    if any(name.startswith("Index/") or name == "Index.zip" for name in names):
        return _("is a Numbers file; export it as Excel (XLSX) or CSV.")
    if any(name.startswith("xl/") for name in names):
        return ""
    return _("is an archive; unpack it and choose the table in it.")


def _text(start: bytes) -> str:
    """What a file of text is that is no table."""
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = start.replace(b"\x00", b"")[2:].lstrip()
    if text.startswith((b"<?xml", b"<Workbook", b"<office:")) and not _XHTML.search(text[:4096]):
        return _("is XML: open it in a spreadsheet program and save it as XLSX.")
    if _HTML.match(text) or text.startswith((b"<?xml", b"<!--", b"MIME-Version:")):
        return _(
            "is a web page (HTML), whatever its name says: open it in a spreadsheet program and"
            " save it as XLSX."
        )
    if _JSON.match(text):
        return _("is JSON, which is not read: export CSV or XLSX.")
    if text.startswith(b"BEGIN:VCARD"):
        return _("is a file of contacts (VCF), not a table: enter them in a spreadsheet.")
    return ""


_BY_START: tuple[tuple[tuple[bytes, ...], Callable[[], str]], ...] = (
    ((b"%PDF",), lambda: _("is a PDF: save the table that it was made from as XLSX or CSV.")),
    ((b"{\\rtf",), lambda: _("is a text document (RTF): copy its table into a spreadsheet.")),
    (_IMAGES, lambda: _("is a picture: enter the table in a spreadsheet and save it as XLSX.")),
    (_ARCHIVES, lambda: _("is an archive; unpack it and choose the table in it.")),
)
