"""The secret scan of `make check` finds what was planted, and nothing in the project."""

import base64
import secrets
import subprocess
import sys

import pytest

from tests.conftest import ONCE
from tests.house import ROOT

pytestmark = ONCE


def scan(*arguments):
    command = [sys.executable, "-m", "tests.secret_scan", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)


def test_the_project_has_none():
    done = scan()
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("files, 0 secrets\n")


# Made up anew for each run, so that this file does not have them.
PLANTED = {
    "a private key": ("key.pem", "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIEpQ\n"),
    "a private key in a long file": (
        "all.pem",
        "-----BEGIN " + "PRIVATE KEY-----\n" + "x\n" * 9000,
    ),
    "a signing key": (".env", f'JWT_SIGNING_KEY="{secrets.token_urlsafe(48)}"\n'),
    "a signing key without quotes": (".env.example", f"SECRET_KEY={secrets.token_urlsafe(48)}\n"),
    "a digest": ("settings.py", f'KEY = "{secrets.token_hex(32)}"\n'),
    "a password in a URL": ("notes.md", "mysql://omarty:" + "tr0ub4dor@db.example/omarty\n"),
    "a token of GitHub": ("ci.yml", "token: ghp_" + secrets.token_hex(18) + "\n"),
    "a token of the app": (
        "page.md",
        "eyJhbGciOiJIUzI1NiJ9."
        + base64.urlsafe_b64encode(b'{"id": "2"}').decode().rstrip("=")
        + "."
        + secrets.token_urlsafe(32),
    ),
}


@pytest.mark.parametrize("what", PLANTED)
@pytest.mark.parametrize("staged", [True, False])
def test_a_planted_secret_is_found_and_not_printed_whole(tmp_path, what, staged):
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    name, text = PLANTED[what]
    (tmp_path / name).write_text(text)
    (tmp_path / "fine.py").write_text('"""Nothing here."""\n\nNAME = "omarty"\n')
    if staged:
        subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
    done = scan(tmp_path)
    assert done.returncode == 1, done.stderr
    assert f"{name}:1: " in done.stdout and "2 files, 1 secrets" in done.stdout
    assert text.strip() not in done.stdout
