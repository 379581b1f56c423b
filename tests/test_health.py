"""/healthz and /readyz."""

import pytest
from django.db import connection
from django.test import Client


def test_healthz_answers_without_asking_the_database(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_nothing_can_be_posted_to_them(path):
    assert Client(enforce_csrf_checks=True).post(path).status_code == 405


def test_readyz_answers_when_the_database_is_migrated(client):
    response = client.get("/readyz")
    assert (response.status_code, response.content) == (200, b"ready\n")


def test_readyz_says_that_a_migration_is_missing(client):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'audit'")
    response = client.get("/readyz")
    assert response.status_code == 503
    assert b"run `manage.py migrate`" in response.content


def test_readyz_says_that_the_database_cannot_be_reached(client, tmp_path):
    known = dict(connection.settings_dict)
    connection.close()
    if connection.vendor == "sqlite":
        connection.settings_dict["NAME"] = str(tmp_path / "nowhere" / "omarty.sqlite3")
    else:
        connection.settings_dict["OPTIONS"] = {"unix_socket": str(tmp_path / "nowhere")}
    try:
        response = client.get("/readyz")
    finally:
        connection.close()
        connection.settings_dict.clear()
        connection.settings_dict.update(known)
    assert response.status_code == 503
    assert b"cannot be reached" in response.content
