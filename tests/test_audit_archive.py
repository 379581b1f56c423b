import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest

from audit import archives, seals
from audit.models import Action, Entry, Seal
from tests.proof import Log, copy_entry, sql


@pytest.fixture
def sealed_log(tmp_path, monkeypatch):
    """The demo's log in seals of ten entries."""
    monkeypatch.setattr(seals, "SEAL_ENTRIES", 10)
    log = Log(tmp_path)
    assert log.seal()["exit"] == 0
    assert Seal.objects.count() > 3
    return log


def middle() -> int:
    return Entry.objects.order_by("pk")[Entry.objects.count() // 2].pk


@pytest.fixture
def archived_log(sealed_log):
    sealed_log.write(5)
    sealed_log.seal()
    assert sealed_log.run("audit_archive", "--before=2999-01-01")["exit"] == 0
    return sealed_log


def test_archived_entries_are_still_proven(sealed_log):
    entries, seals = Entry.objects.count(), Seal.objects.count()
    report = sealed_log.run("audit_archive", "--before=2999-01-01")
    assert (report["entries"], report["seals"]) == (entries, seals)
    assert not Seal.objects.filter(archive="").exists()
    record = Entry.objects.get()
    assert record.action == Action.ENTRIES_ARCHIVED
    assert record.after == {"file": report["files"][0], "seals": [1, seals], "entries": entries}
    with gzip.open(sealed_log.archives / report["files"][0], "rt") as file:
        assert len(file.readlines()) == entries
    verdict = sealed_log.verify()
    assert (verdict["whole"], verdict["entries"], verdict["unsealed"]) == (True, entries, 1)


def test_a_second_run_archives_nothing(archived_log):
    before = sorted(archived_log.archives.iterdir())
    report = archived_log.run("audit_archive", "--before=2000-01-01")
    assert (report["entries"], sorted(archived_log.archives.iterdir())) == (0, before)


def test_only_seals_whose_entries_are_all_older_are_moved(sealed_log):
    second = Seal.objects.get(number=2)
    sql("UPDATE audit_seal SET archive = ''")
    assert sealed_log.run("audit_archive", "--before=2000-01-01")["seals"] == 0
    assert Entry.objects.filter(pk=second.first_id).exists()


def test_a_dry_run_archives_nothing(sealed_log):
    entries = Entry.objects.count()
    report = sealed_log.run("audit_archive", "--before=2999-01-01", "--dry-run")
    assert (report["entries"], report["dry_run"]) == (entries, True)
    assert Entry.objects.count() == entries
    assert not sealed_log.archives.exists()


def test_a_tampered_log_is_not_archived(sealed_log):
    target = middle()
    sql("UPDATE audit_entry SET actor_label = 'forged' WHERE id = %s", target)
    entries = Entry.objects.count()
    report = sealed_log.run("audit_archive", "--before=2999-01-01")
    assert (report["exit"], Entry.objects.count()) == (1, entries)
    assert "audit_verify" in report["error"]


def test_what_a_killed_run_wrote_is_written_again(sealed_log):
    """Killed between archive and database, and while writing the archive."""
    sealed_log.archives.mkdir()
    name = archives.name_for(Seal.objects.earliest("number"))
    (sealed_log.archives / name).write_bytes(b"of the killed run")
    (sealed_log.archives / (name + ".part")).write_bytes(b"half of it")
    assert sealed_log.run("audit_archive", "--before=2999-01-01")["exit"] == 0
    assert [path.name for path in sealed_log.archives.iterdir()] == [name]
    assert sealed_log.verify()["whole"]


def test_only_the_owner_may_read_archives_and_seals(archived_log):
    archives = archived_log.archives
    modes = [path.stat().st_mode & 0o777 for path in (archives, *archives.iterdir())]
    assert modes == [0o700, 0o600]
    assert archived_log.file.stat().st_mode & 0o777 == 0o600


def test_a_missing_directory_is_reported_and_not_created(sealed_log, tmp_path):
    report = sealed_log.run(
        "audit_archive", "--before=2999-01-01", f"--archives={tmp_path}/disk/archive"
    )
    assert report["exit"] == 1
    assert report["error"] == f"{tmp_path}/disk does not exist: is it mounted?"
    assert not (tmp_path / "disk").exists()


def test_what_is_not_a_date_is_refused(sealed_log):
    for text in ("yesterday", "2026-13-01", ""):
        assert sealed_log.run("audit_archive", f"--before={text}")["exit"] == 2


def rewrite(log: Log, change: Callable[[list[Any]], list[Any]]) -> None:
    (path,) = log.archives.iterdir()
    with gzip.open(path, "rt") as file:
        rows = [json.loads(line) for line in file]
    rows = change(rows)
    with gzip.open(path, "wt") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: [*rows[:12], rows[12] | {"actor_label": "forged"}, *rows[13:]],
        lambda rows: [*rows[:12], *rows[13:]],
        lambda rows: [*rows[:12], rows[13], rows[12], *rows[14:]],
        lambda rows: rows[:12],
        lambda rows: [*rows[:12], rows[11] | {"id": 10**7}, *rows[12:]],
        lambda rows: [*rows[:12], {"nonsense": 1}],
        lambda rows: [*rows, rows[-1] | {"id": 10**7}],
        lambda rows: [*rows, {"nonsense": 1}],
    ],
    ids=[
        *("changed", "removed", "re-ordered", "cut off", "added", "not entries"),
        *("lengthened", "lengthened by nonsense"),
    ],
)
def test_a_tampered_archive_is_found(archived_log, change):
    assert archived_log.verify()["whole"]
    rewrite(archived_log, change)
    assert archived_log.verify()["exit"] == 1


def test_an_entry_added_to_an_archive_is_named(archived_log):
    rewrite(archived_log, lambda rows: [*rows, rows[-1] | {"id": 10**7}])
    assert archived_log.verify()["first"] == 10**7


def test_another_spelling_in_an_archive_is_found(archived_log):
    (path,) = archived_log.archives.iterdir()
    lines = gzip.decompress(path.read_bytes()).decode().splitlines(keepends=True)
    first = json.loads(lines[12])["id"]
    lines[12] = '{"reason": "shadowed", ' + lines[12][1:]
    path.write_bytes(gzip.compress("".join(lines).encode()))
    assert archived_log.verify()["first"] == first


def test_a_lost_or_broken_archive_is_reported(archived_log):
    (path,) = archived_log.archives.iterdir()
    path.write_bytes(path.read_bytes()[:100])
    assert str(path) in str(archived_log.verify()["faults"])
    path.unlink()
    assert str(path) in str(archived_log.verify()["faults"])


def test_an_entry_added_beside_an_archive_is_named(archived_log):
    copy_entry(Entry.objects.order_by("-pk")[0].pk, 5)
    assert archived_log.verify()["first"] == 5
