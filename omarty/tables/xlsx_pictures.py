"""Taking the pictures out of a workbook: nothing reads them, and they make it large."""

import io
from zipfile import BadZipFile, ZipFile

from omarty.tables.xlsx_parsing import ShortReads, WorkbookProblem
from omarty.tables.xlsx_reading import is_read

_SIGNATURE = b"PK\x03\x04"
_HEADER = 30


def without_pictures(content: bytes) -> tuple[bytes, int]:
    """The file with zeros in place of what no reading of it needs, and how many bytes these are.

    What is no workbook comes back as it is. Nothing is unpacked, and no place of the file is moved.
    """
    if not content.startswith(_SIGNATURE):
        return content, 0
    try:
        with ZipFile(ShortReads(io.BytesIO(content))) as archive:
            parts = archive.infolist()
    except (BadZipFile, WorkbookProblem, ValueError, OSError, NotImplementedError):
        return content, 0
    if not any(is_read(part.filename) for part in parts):
        return content, 0
    blank = bytearray(content)
    left_out = 0
    for part in parts:
        start = part.header_offset
        if is_read(part.filename) or blank[start : start + 4] != _SIGNATURE:
            continue
        # Its name and what follows the name, of the lengths that stand at the header's end.
        start += _HEADER + sum(
            int.from_bytes(blank[start + at : start + at + 2], "little") for at in (26, 28)
        )
        length = len(blank[start : start + part.compress_size])
        blank[start : start + length] = bytes(length)
        left_out += length
    return bytes(blank), left_out
