"""Whether a file is a backup: told by its beginning and its end, without reading it whole."""

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

SQLITE = b"SQLite format 3\0"
DUMPS = (b"-- MariaDB dump", b"-- MySQL dump", b"/*M!")
# gzip, xz, zstd, age, openssl enc.
PACKED = (b"\x1f\x8b", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"age-encryption.org/", b"Salted__")
ENCRYPTED = (".age", ".enc", ".gpg")
# How files end that somebody is still writing or gave up; and those that lie beside a database or a backup.
UNFINISHED = (".part", ".part.gz", ".partial", ".tmp", ".temp", ".incomplete", "~")
BESIDE = ("-journal", "-wal", "-shm", ".log", ".log.gz", ".md5", ".sha1", ".sha256", ".sha512")
# No dump of our tables is so small, but one of an empty database is.
SMALLEST = 1000
END_BYTES = 1000


def is_whole(file: Path, at: os.stat_result) -> bool:
    """Whether this is a finished backup. Of one that may not be read, name and size alone are known."""
    name = file.name.lower()
    if name.startswith(".") or name.endswith((*UNFINISHED, *BESIDE)):
        return False
    if not stat.S_ISREG(at.st_mode) or at.st_size < SMALLEST:
        return False
    try:
        with file.open("rb") as opened:
            start = opened.read(100)
            opened.seek(-END_BYTES, os.SEEK_END)
            end = opened.read()
    except PermissionError:
        return True
    except OSError:
        return False
    if start.startswith(SQLITE):
        return _has_all_pages(start, at.st_size) and _has_our_tables(file)
    if start.startswith(DUMPS):
        return b"Dump completed" in end
    return start.startswith(PACKED) or name.endswith(ENCRYPTED)


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
    tables = "SELECT count(*) FROM sqlite_master WHERE name IN ('django_migrations', 'audit_entry')"
    try:
        with closing(sqlite3.connect(address, uri=True)) as opened:
            return bool(opened.execute(tables).fetchone()[0] == 2)
    except sqlite3.Error:
        return False
