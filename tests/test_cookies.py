"""The cookies of an installation behind HTTPS: this host's alone, and no script's but where it must be."""

import re

import pytest
import requests

from tests.installation import Installation


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    installation = Installation(tmp_path_factory.mktemp("cookies"), ALLOWED_HOSTS="127.0.0.1")
    with installation.make().served() as served:
        yield served


def cookies(answer):
    """Each cookie that an answer sets: its attributes by its name."""
    found = {}
    for line in answer.raw.headers.getlist("Set-Cookie"):
        name, _, rest = line.partition("=")
        found[name] = {part.strip() for part in rest.split(";")[1:]}
    return found


def csrf_token(page):
    """The token in a page's form."""
    return re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[0]


def test_every_cookie_is_this_hosts_alone(address):
    secure = {"X-Forwarded-Proto": "https", "Referer": address.replace("http:", "https:")}
    page = requests.get(f"{address}/admin/login/", headers=secure, timeout=30)
    token = csrf_token(page.text)
    switched = requests.post(
        f"{address}/language/",
        data={"language": "ar", "next": "/admin/", "csrfmiddlewaretoken": token},
        headers=secure | {"Cookie": f"__Host-csrftoken={page.cookies['__Host-csrftoken']}"},
        allow_redirects=False,
        timeout=30,
    )
    found = cookies(page) | cookies(switched)
    assert set(found) == {"__Host-csrftoken", "__Host-language"}
    for name, attributes in found.items():
        assert {"Secure", "Path=/", "SameSite=Lax"} <= attributes, name
        assert not any(each.startswith("Domain") for each in attributes), name
    assert "HttpOnly" in found["__Host-language"]


def test_the_sessions_cookie_too(address, tmp_path_factory):
    home = next(tmp_path_factory.getbasetemp().glob("cookies*"))
    installation = Installation(home)
    installation.succeed(
        "shell",
        "-v0",
        "-c",
        "from contacts.models import User\n"
        "User.objects.create_user(email='a@omarty.example', password='a-long-word-9', is_superuser=True)",
    )
    secure = {"X-Forwarded-Proto": "https", "Referer": address.replace("http:", "https:")}
    page = requests.get(f"{address}/admin/login/", headers=secure, timeout=30)
    token = csrf_token(page.text)
    inside = requests.post(
        f"{address}/admin/login/?next=/admin/",
        data={
            "username": "a@omarty.example",
            "password": "a-long-word-9",
            "csrfmiddlewaretoken": token,
        },
        headers=secure | {"Cookie": f"__Host-csrftoken={page.cookies['__Host-csrftoken']}"},
        allow_redirects=False,
        timeout=30,
    )
    assert inside.status_code == 302
    found = cookies(inside)
    for name in ("__Host-sessionid", "__Host-person"):
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= found[name], name
