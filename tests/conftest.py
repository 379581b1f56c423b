"""The demo community is the cast of every test; requests go through HTTP."""

import io
import os
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client, override_settings

from audit.models import Entry
from contacts.models import User
from omarty.api.tokens import Refresh
from tests import mariadb
from tests.legacy import Legacy, legacy_database

Post = Callable[..., Any]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Lay the demo community into the test database, once; tests with real commits get it anew."""
    with django_db_blocker.unblock(), override_settings(DEBUG=True):
        call_command("demo", stdout=io.StringIO())
        cast(
            Any, connection
        )._test_serialized_contents = connection.creation.serialize_db_to_string()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Every test speaks to a database: in a transaction, or with `commits` in real ones."""
    for item in items:
        real = not {"commits", "live_server"}.isdisjoint(item.fixturenames)
        item.add_marker(pytest.mark.django_db(transaction=real, serialized_rollback=real))


@pytest.fixture
def commits() -> None:
    """Asks for real transactions, which other connections see."""


class App:
    """The mobile app of one person: his token, and the two addresses."""

    def __init__(self, person: User) -> None:
        self.person = person
        self.token = str(Refresh.of(person).access_token)
        self.client = Client(raise_request_exception=False)

    def post(self, path: str, data: Any = None, **extra: Any) -> Any:
        """POST as this person; multipart unless `content_type` says otherwise."""
        extra.setdefault("headers", {"Authorization": f"Bearer {self.token}"})
        return self.client.post(f"/omartyapis/{path}/", data or {}, **extra)

    def create(self, **fields: Any) -> Any:
        """CreateApartment with these fields; the answer's JSON."""
        return self.post("Create", {"api": "CreateApartment", **fields}).json()

    def add(self, **fields: Any) -> Any:
        """AddContact with these fields; the answer's JSON."""
        return self.post("Update", {"api": "AddContact", **fields}).json()


@pytest.fixture
def app() -> Callable[[str], App]:
    """`app("manager")` is the app in the hands of manager@example.org."""
    return lambda name: App(person(name))


@pytest.fixture
def manager(app: Callable[[str], App]) -> App:
    return app("manager")


@pytest.fixture
def resident(app: Callable[[str], App]) -> App:
    return app("resident")


def person(name: str) -> User:
    """The person of the demo who signs in as `name`@example.org."""
    return User.objects.get(email=f"{name}@example.org")


@pytest.fixture
def new_entries() -> Iterator[Callable[[], list[Entry]]]:
    """Called, it gives the audit entries written since the test began."""
    last = Entry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    yield lambda: list(Entry.objects.filter(pk__gt=last).order_by("pk"))


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[str]:
    """The DATABASE_URL of a MariaDB: that of the suite, or one of its own."""
    if os.environ["DATABASE_URL"].startswith("mysql:"):
        yield os.environ["DATABASE_URL"]
    else:
        with mariadb.throwaway() as url:
            yield url


@pytest.fixture
def legacy(mariadb_server: str) -> Iterator[Legacy]:
    """A filled legacy database."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
    with legacy_database(mariadb_server, f"legacy_{worker}") as database:
        yield database
