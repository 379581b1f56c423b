"""The files in deploy/ say what Omarty's own settings and commands say."""

import re
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import requests
from django.conf import settings
from django.core.management import get_commands, load_command_class

from omarty.settings import BASE_DIR
from tests.conftest import ONCE
from tests.http import granian_command

pytestmark = ONCE

DEPLOY = BASE_DIR / "deploy"
NGINX = (DEPLOY / "nginx.conf").read_text()
UNITS = sorted(DEPLOY.glob("omarty*.*"))
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
UNIT = (DEPLOY / "omarty.service").read_text()
README = (BASE_DIR / "README.md").read_text()


def test_service_and_readme_start_the_server_alike():
    assert granian_command(UNIT, 8000) == granian_command(README, 8000)
    known = subprocess.run(
        [granian_command(UNIT, 8000)[0], "--help"], capture_output=True, text=True, check=True
    ).stdout
    options = [each for each in granian_command(UNIT, 8000) if each.startswith("--")]
    assert {option for option in options if option not in re.split(r"[\s/]+", known)} == set()
    assert "--respawn-failed-workers" in options
    assert re.search(r"--host 127\.0\.0\.1 --port 8000", UNIT)
    assert "server 127.0.0.1:8000;" in NGINX


def test_the_threads_of_all_workers_are_as_many_as_the_readme_says():
    command = granian_command(UNIT, 8000)
    workers, threads = (
        int(command[command.index(name) + 1]) for name in ("--workers", "--blocking-threads")
    )
    assert 4 <= threads <= 8
    said = f"{workers} workers with {threads} threads want {workers * threads} of MariaDB's"
    assert said in " ".join(README.split())


def test_nginx_takes_no_larger_body_than_omarty():
    units = {"k": 1 << 10, "m": 1 << 20}
    found = re.findall(r"client_max_body_size (\d+)([km]);", NGINX)
    limits = [int(number) * units[unit] for number, unit in found]
    # The file, and the form around it.
    large = [
        most + settings.DATA_UPLOAD_MAX_MEMORY_SIZE for most in settings.LARGE_UPLOADS.values()
    ]
    assert sorted(limits)[-2:] == [settings.DATA_UPLOAD_MAX_MEMORY_SIZE, *large]
    https = NGINX[NGINX.index("listen 443") :]
    assert f"client_max_body_size {settings.DATA_UPLOAD_MAX_MEMORY_SIZE >> 20}m;" in https
    own = ["/static/", *(f"= {path}" for path in settings.LARGE_UPLOADS)]
    for where, block in re.findall(r"location ([^{]*?) \{([^}]*)\}", NGINX):
        assert ("client_max_body_size" in block) == (where in own)
    assert "proxy_request_buffering on;" in NGINX


def test_nginx_slows_both_doors():
    for address in ("= /admin/login/", "~ ^/omartyapis/Auth/Login/?$"):
        [block] = re.findall(rf"location {re.escape(address)} \{{(.*?)\n    \}}", NGINX, re.DOTALL)
        assert "limit_req zone=omarty_sign_in" in block


def test_nginx_answers_the_app_in_its_envelope():
    from omarty.api.envelopes import TOO_LARGE  # noqa: PLC0415
    from omarty.api.sign_in import PAUSE  # noqa: PLC0415

    for status, message in (TOO_LARGE, PAUSE):
        assert f'return {status} \'{{"status":{status},"message":"{message}"}}\';' in NGINX


def certified(home: Path) -> str:
    """Our file with a certificate of its own, made in `home`."""
    openssl = shutil.which("openssl")
    assert openssl
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=omarty.example"]
        + ["-keyout", f"{home}/privkey.pem", "-out", f"{home}/fullchain.pem"]
        + ["-addext", "subjectAltName=IP:127.0.0.1"],
        capture_output=True,
        check=True,
    )
    return re.sub(r"/etc/letsencrypt/live/[^/]+", str(home), NGINX)


def write_conf(home: Path, own: str) -> Path:
    """The main file of an nginx that includes `own` and nothing else."""
    (home / "omarty.conf").write_text(own)
    main = home / "nginx.conf"
    main.write_text(
        f"pid {home}/pid; error_log {home}/log; events {{}}\n"
        f"http {{ access_log off; include {home}/omarty.conf; }}\n"
    )
    return main


@pytest.mark.skipif(not shutil.which("nginx", path=PATH), reason="nginx is not installed")
def test_nginx_takes_its_file(tmp_path):
    nginx = shutil.which("nginx", path=PATH)
    assert nginx
    conf = write_conf(tmp_path, certified(tmp_path))
    ran = subprocess.run(
        [nginx, "-t", "-p", str(tmp_path), "-c", str(conf)], capture_output=True, text=True
    )
    assert ran.returncode == 0 and "[warn]" not in ran.stderr, ran.stderr


@contextmanager
def nginx_in(home: Path, port: int) -> Iterator[str]:
    """nginx with our file on this port of the loopback; no server of Omarty's is behind it."""
    nginx = shutil.which("nginx", path=PATH)
    assert nginx
    own = re.sub(r"listen 443", f"listen 127.0.0.1:{port}", certified(home))
    own = re.sub(r"^ *listen (80|\[::\].*);\n", "", own, flags=re.M)
    # Without a `listen` the first server would take port 80.
    own = own.replace("server {\n", f"server {{\n    listen unix:{home}/plain;\n", 1)
    own = own.replace("server 127.0.0.1:8000;", f"server unix:{home}/nobody;")
    conf = write_conf(home, own)
    command = [nginx, "-p", str(home), "-c", str(conf), "-g", "daemon off;"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _attempt in range(100):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.05)
        yield f"https://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.mark.skipif(not shutil.which("nginx", path=PATH), reason="nginx is not installed")
def test_nginx_tells_people_and_the_app_to_wait_each_in_their_way(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with nginx_in(tmp_path, port) as address, requests.Session() as session:
        # Of this machine neither a proxy nor a list of authorities.
        session.trust_env, session.verify = False, str(tmp_path / "fullchain.pem")
        session.headers["Host"] = "omarty.example"

        def first_refused(path: str) -> requests.Response:
            answers = (session.post(address + path, data={"a": "b"}) for _ in range(60))
            return next(answer for answer in answers if answer.status_code == 429)

        page = first_refused("/admin/login/")
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "Too many requests" in page.text and "يُرجى الانتظار" in page.text
        call = first_refused("/omartyapis/Auth/Login/")
        assert call.headers["Content-Type"] == "application/json"
        assert call.json() == {
            "status": 429,
            "message": "Too many attempts, please try again later.",
        }
        for answer in (page, call):
            assert answer.headers["Retry-After"] == "60"
            assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_takes_its_units(tmp_path):
    for unit in UNITS:
        here = unit.read_text().replace("/srv/omarty/.venv/bin/", f"{shutil.which('true')} ")
        (tmp_path / unit.name).write_text(here)
    ran = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(tmp_path / unit.name for unit in UNITS)],
        capture_output=True,
        text=True,
        env={"PATH": PATH, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
    )
    ours = [line for line in ran.stderr.splitlines() if str(tmp_path) in line or "omarty" in line]
    assert ran.returncode == 0 and ours == [], ran.stderr


def started():
    """The commands that the units start."""
    for unit in UNITS:
        for line in re.findall(r"^ExecStart=.*manage\.py (.*)$", unit.read_text(), re.M):
            yield shlex.split(line)


def test_commands_that_the_units_start_are_there():
    commands = get_commands()
    names = [name for name, *_options in started()]
    assert names[0] == "audit_seal" and "clearsessions" in names
    for name, *options in started():
        parser = load_command_class(commands[name], name).create_parser("manage.py", name)
        parser.parse_args(options)


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit.suffix == ".service"], ids=str)
def test_what_the_services_write_is_their_users_alone(unit: Path):
    text = unit.read_text()
    for line in ("UMask=0077", "User=omarty", "NoNewPrivileges=true", "ProtectSystem=strict"):
        assert f"\n{line}\n" in text


def test_the_services_write_their_state_alone_and_only_the_daily_one_the_seals():
    written = {
        unit.name: re.findall(r"^(?:ReadWritePaths|StateDirectory)=(.*)$", unit.read_text(), re.M)
        for unit in UNITS
        if unit.suffix == ".service"
    }
    assert written == {
        "omarty.service": ["omarty"],
        "omarty-daily.service": ["omarty omarty-seals"],
        "omarty-messages.service": ["omarty"],
        "omarty-hourly.service": ["omarty"],
    }
    example = (BASE_DIR / ".env.example").read_text()
    assert "DATABASE_URL=sqlite:////var/lib/omarty/" in example
    assert "AUDIT_SEAL_FILE=/var/lib/omarty-seals/" in example


def test_the_readme_installs_every_unit_and_names_the_user_and_the_directories():
    commands = README[README.index("## In production") : README.index("What the service starts")]
    for unit in UNITS:
        assert f"deploy/{unit.name}" in commands
    for command in (
        "useradd --system --user-group --home-dir /var/lib/omarty",
        "install -d -m 700 -o omarty -g omarty /var/lib/omarty /var/lib/omarty-seals",
        "install -m 640 -o root -g omarty .env.example .env",
        "systemctl enable --now omarty.service omarty-daily.timer omarty-hourly.timer"
        " omarty-messages.service",
    ):
        assert command in commands
