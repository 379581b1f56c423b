"""Whether a file is a backup: whole, and of Omarty's tables, told by its content where that can be read."""

import gzip
import os
import re
import sqlite3
import stat
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

SQLITE = b"SQLite format 3\0"
DUMPS = (b"-- MariaDB dump", b"-- MySQL dump", b"/*M!")
GZIP = b"\x1f\x8b"
# What cannot be looked into: xz, zstd, age, openssl enc.
PACKED = (b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"age-encryption.org/", b"Salted__")
PACKED_NAMES = (".7z", ".age", ".bz2", ".enc", ".gpg", ".tar", ".tar.gz", ".tgz", ".zip")
# How files end that somebody is still writing or gave up; and those that lie beside a database or a backup.
UNFINISHED = (".part", ".part.gz", ".partial", ".tmp", ".temp", ".incomplete", "~")
BESIDE = ("-journal", "-wal", "-shm", ".log", ".log.gz", ".md5", ".sha1", ".sha256", ".sha512")
# How else files end that lie among backups.
NAMES = (
    ".sqlite3",
    ".sqlite",
    ".db",
    ".sql",
    ".gz",
    ".xz",
    ".zst",
    *PACKED_NAMES,
    *UNFINISHED,
    *BESIDE,
)
# No dump of our tables is so small, but one of an empty database is.
SMALLEST = 1000
# Tables that every version has, and one of these that always has rows: without them it is a schema alone.
TABLES = (
    "audit_entry",
    "buildings_apartment",
    "buildings_block",
    "buildings_building",
    "buildings_membership",
    "contacts_claim",
    "contacts_user",
    "django_migrations",
)
FILLED = "django_migrations"
# The lines of a dump, which no text in a row can have: there an end of line is written as \n.
PARTS_OF_DUMP = (
    *(rf"\nCREATE TABLE (?:IF NOT EXISTS )?[`\"]{table}[`\"]" for table in TABLES),
    rf"\n(?:INSERT|REPLACE) +(?:IGNORE +)?INTO [`\"]{FILLED}[`\"]",
)
END_OF_DUMP = re.compile(rb"\n-- Dump completed")
# In a file of SQLite a row's texts stand one behind the other: an app, and its first migration.
PARTS_OF_SQLITE = (*(rf"CREATE TABLE \"{table}\"" for table in TABLES), "contacts0001_initial")
# Backups are large, and memory is not: so much is read at once. What is sought is shorter than the second.
PIECE = 1 << 20
LONGEST = 100


def is_whole(file: Path, at: os.stat_result) -> bool:
    """Whether this is a finished backup. Of one packed otherwise than by gzip, or that may not be
    read, name and size alone are known, to whoever looks.
    """
    name = file.name.lower()
    if name.startswith(".") or name.endswith((*UNFINISHED, *BESIDE)):
        return False
    if not stat.S_ISREG(at.st_mode) or at.st_size < SMALLEST:
        return False
    if name.endswith(PACKED_NAMES):
        return True
    try:
        with file.open("rb") as opened:
            start = opened.read(LONGEST)
            opened.seek(0)
            if start.startswith(GZIP):
                return _is_whole_packed(opened)
            if start.startswith(DUMPS):
                return _is_whole_dump(opened)
    except PermissionError:
        return True
    except OSError:
        return False
    if start.startswith(SQLITE):
        return _has_all_pages(start, at.st_size) and _has_our_tables(file)
    return start.startswith(PACKED)


def is_named(file: Path) -> bool:
    """Whether it is called as backups are, and what is left of them."""
    return file.name.lower().endswith(NAMES)


def _is_whole_packed(packed: BinaryIO) -> bool:
    """Whether gzip reads it to its end, where its sum stands, and it holds a dump or an SQLite file."""
    try:
        with gzip.GzipFile(fileobj=packed) as opened:
            start = opened.read(LONGEST)
            opened.seek(0)
            return (_is_whole_sqlite if start.startswith(SQLITE) else _is_whole_dump)(opened)
    except (EOFError, zlib.error):
        return False


def _pieces(opened: BinaryIO | gzip.GzipFile) -> Iterator[bytes]:
    while piece := opened.read(PIECE):
        yield piece


class _Parts:
    """What is sought in a file that is read piece by piece, and not found yet."""

    def __init__(self, parts: tuple[str, ...]) -> None:
        self.missing = [re.compile(part.encode()) for part in parts]

    def look(self, text: bytes) -> int:
        """Look for them in this text; where the last that is found ends."""
        end = 0
        for part in [*self.missing]:
            if found := part.search(text):
                self.missing.remove(part)
                end = max(end, found.end())
        return end


def _is_whole_dump(opened: BinaryIO | gzip.GzipFile) -> bool:
    """Whether our tables and their rows are made in it, and its last line comes after that."""
    text, has_end, parts = b"", False, _Parts(PARTS_OF_DUMP)
    for piece in _pieces(opened):
        text = text[-LONGEST:] + piece
        if parts.missing:
            text = text[parts.look(text) :]
        has_end = has_end or (not parts.missing and END_OF_DUMP.search(text) is not None)
    return has_end


def _is_whole_sqlite(opened: gzip.GzipFile) -> bool:
    """The same of an SQLite file that is packed: it cannot be opened, but its tables' names stand in it."""
    text, size, header, parts = b"", 0, b"", _Parts(PARTS_OF_SQLITE)
    for piece in _pieces(opened):
        header = header or piece[:LONGEST]
        text, size = text[-LONGEST:] + piece, size + len(piece)
        parts.look(text)
    return not parts.missing and _has_all_pages(header, size)


def _has_all_pages(header: bytes, size: int) -> bool:
    """Whether the file is as long as its header says (sqlite.org/fileformat2.html, The Database Header)."""
    page = int.from_bytes(header[16:18], "big")
    pages = int.from_bytes(header[28:32], "big")
    # The number is valid if whoever wrote last also wrote it.
    known = pages and header[24:28] == header[92:96]
    return not known or size == pages * (65536 if page == 1 else page)


def _has_our_tables(file: Path) -> bool:
    # Immutable: nothing is written beside it.
    address = f"file:{quote(str(file))}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True)) as opened:
            tables = {name for (name,) in opened.execute("SELECT name FROM sqlite_master")}
            rows = f"SELECT count(*) FROM {FILLED}"  # noqa: S608
            return tables.issuperset(TABLES) and opened.execute(rows).fetchone()[0] > 0
    except sqlite3.Error:
        return False
