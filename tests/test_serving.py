"""The server as the README starts it, before a crowd."""

import re
import subprocess
import sys

import pytest

from tests import mariadb
from tests.conftest import ONCE
from tests.program import ROOT

pytestmark = ONCE


@pytest.mark.skipif(bool(mariadb.missing()), reason=mariadb.missing())
def test_a_crowd_is_answered_and_a_killed_worker_replaced():
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.crowd", "--short"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 0 and "All held." in ran.stdout, ran.stdout + ran.stderr
    assert "300 calls: {200: 300}" in ran.stdout
    [most] = re.findall(r"connections at most: (\d+)", ran.stdout)
    assert int(most) <= 8
