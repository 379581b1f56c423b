"""/.well-known/security.txt (RFC 9116): there if the installation names somebody, absent if it does not."""

from datetime import UTC, datetime, timedelta

import pytest

ADDRESS = "/.well-known/security.txt"


def test_without_a_contact_there_is_none(client):
    assert client.get(ADDRESS).status_code == 404


def test_it_names_whom_to_tell(client, settings):
    settings.SECURITY_CONTACT = [
        "mailto:security@omarty.example",
        "https://omarty.example/security",
    ]
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    answer = client.get(ADDRESS, headers={"X-Forwarded-Proto": "https", "Host": "testserver"})
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    lines = answer.content.decode().splitlines()
    assert [line for line in lines if not line.startswith("Expires: ")] == [
        "Contact: mailto:security@omarty.example",
        "Contact: https://omarty.example/security",
        "Preferred-Languages: en, ar",
        "Canonical: https://testserver/.well-known/security.txt",
    ]
    [expires] = [line.removeprefix("Expires: ") for line in lines if line.startswith("Expires: ")]
    left = datetime.fromisoformat(expires) - datetime.now(UTC)
    assert timedelta(days=90) < left < timedelta(days=365)


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_it_is_only_read(client, settings, method):
    settings.SECURITY_CONTACT = ["mailto:security@omarty.example"]
    assert getattr(client, method)(ADDRESS).status_code == 405
