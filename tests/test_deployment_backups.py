"""What of a folder's files is taken for a fresh backup: whole, and with Omarty's tables."""

import gzip
import io
import os
import sqlite3
import tarfile
import time
import tracemalloc
from contextlib import closing
from pathlib import Path

import pytest

from omarty.deployment import backup_files, backups
from tests.conftest import ONCE

pytestmark = ONCE

START = b"-- MariaDB dump 10.19\n"
SCHEMA = b"".join(
    b"\nCREATE TABLE `%s` (\n  `id` bigint(20) NOT NULL\n);\n" % name.encode()
    for name in backup_files.TABLES
)
MIGRATIONS = b"INSERT INTO `django_migrations` VALUES (1,'contacts','0001_initial');\n"
TABLES = SCHEMA + MIGRATIONS
ROWS = b"INSERT INTO `rows` VALUES (1,'" + b"x" * 2000 + b"');\n"
END = b"\n-- Dump completed on 2026-01-31 12:00:00\n"
DUMP = START + TABLES + ROWS + END
OTHER = DUMP.replace(b"audit_entry", b"other")
# What a row holds stands on no line of its own.
QUOTED = DUMP.replace(
    b"\nCREATE TABLE `audit_entry`", b"\nINSERT INTO `x` VALUES ('CREATE TABLE `audit_entry`');\n"
)


def tar(content):
    """A tar, packed, of one file."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as opened:
        member = tarfile.TarInfo("omarty.sql")
        member.size = len(content)
        opened.addfile(member, io.BytesIO(content))
    return made.getvalue()


def saved(right):
    """A whole SQLite file with Omarty's tables."""
    return (right.home / "backups" / "today.sqlite3").read_bytes()


def counts(folder, name, content):
    """Whether this content is taken for a backup."""
    file = folder / name
    # A name that says nothing, and enough bytes: what is looked at is the content.
    file.write_bytes(content)
    return backup_files.is_whole(file, file.stat())


@pytest.mark.parametrize("content", [DUMP, DUMP.replace(b"-- MariaDB", b"-- MySQL")])
def test_a_whole_dump_counts_packed_or_not(tmp_path, content):
    assert counts(tmp_path, "a.sql", content)
    noise = b"-- " + os.urandom(2000).hex().encode() + b"\n"
    packed = gzip.compress(content.replace(b"\nCREATE", noise + b"\nCREATE", 1))
    assert counts(tmp_path, "a.sql.gz", packed)
    # Two of them after another are one file to gzip.
    assert counts(tmp_path, "b.sql.gz", packed + packed)
    assert counts(tmp_path, "c.tar.gz", tar(content.replace(b"\nCREATE", noise + b"\nCREATE", 1)))


@pytest.mark.parametrize(
    "content",
    [OTHER, QUOTED, DUMP.replace(MIGRATIONS, b""), DUMP[: -len(END)], DUMP[: -len(END)] + b"-- Du"],
)
def test_a_dump_of_another_database_or_cut_off_counts_for_nothing(tmp_path, content):
    assert not counts(tmp_path, "a.sql", content)
    noise = b"\n-- " + os.urandom(2000).hex().encode() + b"\n"
    assert not counts(tmp_path, "a.sql.gz", gzip.compress(START + noise + content))


def test_a_packed_file_that_was_cut_off_or_is_of_anything_else_counts_for_nothing(tmp_path):
    noise = b"\n-- " + os.urandom(4000).hex().encode() + b"\n"
    packed = gzip.compress(START + noise + DUMP)
    assert counts(tmp_path, "whole.sql.gz", packed)
    for name, content in {
        "cut": packed[:-200],
        "without its sum": packed[:-4],
        "changed": packed[:-5] + bytes([packed[-5] ^ 1]) + packed[-4:],
        "random": gzip.compress(os.urandom(5000)),
        "of the name only": b"\x1f\x8b" + os.urandom(5000),
    }.items():
        assert not counts(tmp_path, f"{name}.sql.gz", content), name


@pytest.mark.parametrize("name", ["a.bz2", "a.tar", "a.tar.gz", "a.tgz", "a.zip", "a.7z"])
def test_what_is_packed_otherwise_counts_by_its_name_and_size_whoever_looks(tmp_path, name):
    assert counts(tmp_path, name, os.urandom(2000))
    assert not counts(tmp_path, name, os.urandom(20))
    assert not counts(tmp_path, f"{name}.part", os.urandom(2000))


def test_an_sqlite_file_counts_packed_or_not(tmp_path, right):
    whole = saved(right)
    assert counts(tmp_path, "a.sqlite3", whole)
    assert counts(tmp_path, "a.sqlite3.gz", gzip.compress(whole))
    assert not counts(tmp_path, "cut.sqlite3.gz", gzip.compress(whole[:-4096]))
    other = whole.replace(b"audit_entry", b"audit_other")
    assert not counts(tmp_path, "other.sqlite3.gz", gzip.compress(other))


@pytest.mark.parametrize("lacks", backup_files.TABLES)
def test_a_backup_of_some_tables_counts_for_nothing(tmp_path, lacks):
    name = lacks.encode()
    assert not counts(tmp_path, "a.sql", DUMP.replace(b"TABLE `%s`" % name, b"TABLE `other`"))


def test_a_schema_without_rows_counts_for_nothing(tmp_path, right):
    """As of `.schema` of SQLite and of `mariadb-dump --no-data`."""
    file = tmp_path / "schema.sqlite3"
    with closing(sqlite3.connect(right.home / "data" / "omarty.sqlite3")) as whole:
        schema = whole.execute(
            "SELECT sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' AND sql > ''"
        )
        with closing(sqlite3.connect(file)) as empty:
            empty.executescript(";\n".join(sql for (sql,) in schema))
    content = file.read_bytes()
    assert not counts(tmp_path, "a.sqlite3", content)
    assert not counts(tmp_path, "a.sqlite3.gz", gzip.compress(content))


def test_what_is_sought_may_lie_where_two_pieces_meet(tmp_path):
    for back in (1, 20, len(TABLES) - 1):
        before = b"-- " + b"x" * (backup_files.PIECE - len(START) - 3 - back)
        assert counts(tmp_path, "a.sql", START + before + DUMP.removeprefix(START)), back


def test_a_large_dump_is_read_in_little_memory(tmp_path):
    file = tmp_path / "large.sql.gz"
    with gzip.open(file, "wb", compresslevel=1) as made:
        made.write(START + TABLES + os.urandom(2000).hex().encode())
        for _time in range(64):
            made.write(b"x" * 1_000_000)
        made.write(END)
    tracemalloc.start()
    assert backup_files.is_whole(file, file.stat())
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000


def test_the_newest_are_looked_at_first_and_only_until_one_counts(tmp_path, settings, monkeypatch):
    settings.BACKUP_DIRECTORY = str(tmp_path)
    for days in (3, 1, 4, 2):
        file = tmp_path / str(days)
        file.write_bytes(OTHER if days < 3 else DUMP)
        at = time.time() - days * 24 * 60 * 60
        os.utime(file, (at, at))
    opened: list[str] = []
    opens = Path.open

    def noted(path, *arguments, **named):
        opened.append(path.name)
        return opens(path, *arguments, **named)

    monkeypatch.setattr(Path, "open", noted)
    assert list(backups.warnings()) == []
    assert opened == ["1", "2", "3"]
