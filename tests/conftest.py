"""The demo community is the cast of every test; requests go through HTTP."""

import io
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.hashers import BCryptSHA256PasswordHasher
from django.core.management import call_command
from django.core.servers.basehttp import ThreadedWSGIServer
from django.test import Client, override_settings
from django.utils import translation

from audit.models import Entry
from buildings.models import Apartment, Block, Building, Membership
from contacts.models import AppSession, Claim, SecondaryEmail, SecondaryPhone, User
from omarty.api.tokens import Refresh
from tests import mariadb
from tests.installation import Installation
from tests.legacy import Legacy, legacy_database
from tests.messages import Gateway, Mailbox, mail_server, sms_gateway
from tests.program import Program

# The test server's own queue takes ten connections; tests open more at once.
ThreadedWSGIServer.request_queue_size = 128

# Thousands of passwords are hashed here: at the fewest rounds, for a sixth of a second each is minutes.
BCryptSHA256PasswordHasher.rounds = 4

# For files whose tests have databases of their own, or ask nothing that depends on one: the other suite's
# run of them would be the same.
ONCE = pytest.mark.skipif(
    os.environ["DATABASE_URL"].startswith("mysql:"), reason="the same on any database: runs once"
)

REGISTER = (User, Claim, SecondaryEmail, SecondaryPhone, Building, Block, Apartment, Membership)


@pytest.fixture(scope="session")
def demo_community(django_db_setup: None, django_db_blocker: Any) -> list[Any]:
    """The demo community, made once in the test database; returns its rows, table by table."""
    with django_db_blocker.unblock(), override_settings(DEBUG=True):
        call_command("demo", stdout=io.StringIO())
        return [(model, list(model._default_manager.all())) for model in (*REGISTER, Entry)]


@pytest.fixture(autouse=True)
def cast(request: pytest.FixtureRequest, demo_community: list[Any]) -> None:
    """Restores the demo where an earlier test with real commits has emptied the tables.

    Nor does a test read in the language of an earlier one's last page.
    """
    translation.deactivate()
    request.getfixturevalue("transactional_db" if needs_commits(request.node) else "db")
    if not User.objects.exists():
        for model, rows in demo_community:
            model._default_manager.bulk_create(rows)


def needs_commits(test: Any) -> bool:
    """Whether other connections must see what the test writes."""
    return not {"commits", "live_server"}.isdisjoint(test.fixturenames)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Every test speaks to a database: in a transaction, or with `commits` in real ones."""
    for item in items:
        item.add_marker(pytest.mark.django_db(transaction=needs_commits(item)))


@pytest.fixture
def commits() -> None:
    """Makes the test write in real transactions, which other connections see."""


class App:
    """The mobile app of one person: their token, and the two addresses."""

    def __init__(self, person: User) -> None:
        self.person = person
        # The sign-in itself has tests of its own; it would leave an entry here.
        session = AppSession.objects.create(user=person, token_id=uuid.uuid4().hex)
        self.token = str(Refresh.of(session).access_token)
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
    """Call it for the audit entries written since the test began."""
    last = Entry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    yield lambda: list(Entry.objects.filter(pk__gt=last).order_by("pk"))


@pytest.fixture
def nothing_changed() -> Callable[[], bool]:
    """Call it to know whether every table of the register is as it was when the test began."""

    def rows() -> list[Any]:
        return [list(model._default_manager.order_by("pk").values()) for model in REGISTER]

    before = rows()
    return lambda: rows() == before


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[str]:
    """The DATABASE_URL of a MariaDB server: that of the suite, or another one."""
    if os.environ["DATABASE_URL"].startswith("mysql:"):
        yield os.environ["DATABASE_URL"]
    else:
        with mariadb.throwaway() as url:
            yield url


@pytest.fixture
def legacy(mariadb_server: str) -> Iterator[Legacy]:
    """A filled legacy database."""
    with legacy_database(mariadb_server, f"legacy_{worker()}") as database:
        yield database


@pytest.fixture
def unmigrated(tmp_path: Path) -> Iterator[Program]:
    """`manage.py` on a database without tables, of the kind that the suite is run on."""
    url = os.environ["DATABASE_URL"]
    if url.startswith("mysql:"):
        with mariadb.schema(url, f"program_{worker()}") as own:
            yield Program(own, tmp_path)
    else:
        yield Program(f"sqlite:///{tmp_path}/program.sqlite3", tmp_path)


@pytest.fixture
def program(unmigrated: Program) -> Program:
    """`manage.py` on a migrated, empty database."""
    unmigrated.succeed("migrate", "--verbosity", "0")
    return unmigrated


def worker() -> str:
    """A name for this test process: tests that run at the same time have their own databases."""
    return os.environ.get("PYTEST_XDIST_WORKER", "alone")


@pytest.fixture(scope="module")
def right(tmp_path_factory):
    """An installation in which all is right; nobody changes it."""
    return Installation(tmp_path_factory.mktemp("right")).make()


@pytest.fixture
def installation(right, tmp_path):
    """The same, to make something wrong in it."""
    return right.copied_to(tmp_path / "installation")


@pytest.fixture(scope="module")
def shared(right, tmp_path_factory):
    """One installation for all tests of a module that change its settings alone: a copy takes its time."""
    return right.copied_to(tmp_path_factory.mktemp("shared") / "installation")


@pytest.fixture
def configured(shared, right):
    """The same, to make something wrong in `.env` and nowhere else."""
    yield shared
    shared.settings = {**right.settings}
    shared.set()


@pytest.fixture
def mailbox(settings: Any) -> Iterator[Mailbox]:
    """E-mails go to a mail server on loopback."""
    with mail_server() as found:
        settings.EMAIL_URL = f"smtp://127.0.0.1:{found.port}"
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", found.port
        yield found


@pytest.fixture
def gateway(settings: Any) -> Iterator[Gateway]:
    """Text messages go to a gateway on loopback."""
    with sms_gateway() as found:
        settings.SMS_URL = found.url
        settings.SMS_FIELDS = "user=us&to={to}&text={text}&lang={language}"
        settings.SMS_SUCCESS = "1901"
        yield found
