"""Every cell of the tables in rights.py: who gets what answer, and which rows are other than before."""

import re
import uuid
from datetime import timedelta
from functools import cache
from http.cookies import SimpleCookie

import jwt
import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import URLResolver, get_resolver, resolve
from django.utils import timezone

from audit.models import Action, Entry
from audit.operations import Origin
from buildings.membership_operations import start_membership
from buildings.models import Apartment, Block, Membership, Role
from buildings.operations import change_apartment, register_building, retire_apartment
from contacts.contact_operations import add_contact, contacts_of, hide_contact
from contacts.invitations import invite
from contacts.models import (
    AppSession,
    Kind,
    Message,
    MessageState,
    Purpose,
    SecondFactor,
    Status,
    User,
)
from contacts.operations import change_status, register_user
from omarty.api.tokens import Refresh
from omarty.api.views import CREATE, UPDATE
from omarty.demo.small import PASSWORD
from omarty.legacy.models import QuarantinedRow, QuarantineReason
from tests import rights
from tests.backoffice import Desk, fields_of
from tests.conftest import ONCE, App, person
from tests.rights import lines

# Nothing here depends on the database.
pytestmark = ONCE

# What is written of everybody who comes: the audit log, the back-office's sessions, counts.
WRITTEN_OF_ALL = (
    "audit_entry",
    "contacts_backofficesession",
    "contacts_eventcount",
    "contacts_knownaddress",
)
BLOCKS = {"here": 1, "there": 2, "-": 1}


# --- The cast --------------------------------------------------------------------------------------


@pytest.fixture
def everybody():
    """Everybody of rights.CALLERS who is not of the demo."""
    origin = Origin.of_command("test")
    member = {
        "board": (Role.BOARD, Status.ACTIVE),
        "cashier": (Role.CASHIER, Status.ACTIVE),
        "watchman": (Role.WATCHMAN, Status.ACTIVE),
        "vendor": (Role.VENDOR, Status.ACTIVE),
        "former": (Role.RESIDENT, Status.ACTIVE),
        "former-manager": (Role.MANAGER, Status.ACTIVE),
        "pending-manager": (Role.MANAGER, Status.PENDING),
        "banned-manager": (Role.MANAGER, Status.BANNED),
        "pending-person": (Role.MANAGER, Status.ACTIVE),
        "banned-person": (Role.MANAGER, Status.ACTIVE),
    }
    for name, (role, status) in member.items():
        user = register_user(origin=origin, name=name, email=f"{name}@example.org")
        membership = start_membership(
            origin=origin,
            user=user,
            block=Block.objects.get(pk=1),
            apartment=Apartment.objects.get(pk=4),
            role=role,
            status=status,
        )
        if name.startswith("former"):
            membership.ended_at = timezone.now()
            membership.save()
        if name.endswith("-person"):
            change_status(origin=origin, user=user, status=Status(name.partition("-")[0]))
    # The demo's, which took long to make.
    made = [f"{name}@example.org" for name in member]
    User.objects.filter(email__in=made).update(password=person("manager").password)


@pytest.fixture
def rows(everybody, settings):
    """For each block the ids, by the kinds that stand in rights.PAGES, of rows that suit the pages."""
    # There is a way for invitations to leave by.
    settings.EMAIL_URL = "smtp://127.0.0.1:9"
    other = register_building(origin=Origin.of_command("test"), name_en="Other Gardens")
    Block.objects.filter(pk=2).update(building=other)
    odd = QuarantinedRow.objects.create(
        table="PhoneNums", key="77", reason=QuarantineReason.NOT_PHONE, source={"PhoneNum": "abc"}
    )
    dealt_with = QuarantinedRow.objects.create(
        table="PhoneNums", key="78", reason="own", source={}, done_at=timezone.now()
    )
    failed = Message.objects.create(
        purpose=Purpose.RECOVERY,
        kind=Kind.EMAIL,
        to="lost@example.com",
        state=MessageState.FAILED,
        expires_at=timezone.now(),
    )
    known = {1: rows_of(1), 2: rows_of(2)}
    for block, kinds in known.items():
        building = Block.objects.get(pk=block).building_id
        kinds |= {"block": block, "building": building, "quarantined": odd.pk}
        kinds |= {"dealt": dealt_with.pk, "failed": failed.pk}
        entry = Entry.objects.filter(block_id=block).earliest("pk")
        kinds |= {"entry": entry.pk}
    return known


def rows_of(block_id):
    """Units, memberships and a person of this block, in each state that some action wants."""
    origin, block = Origin.of_command("test"), Block.objects.get(pk=block_id)
    units = list(block.apartments.order_by("-pk")[:5])
    retire_apartment(origin=origin, apartment=units[1])
    edit = Origin.of_command("test")
    change_apartment(origin=edit, apartment=units[0], changes={"note": "Why"})
    memberships = {}
    for name, status in (
        ("asking", Status.PENDING),
        ("member", Status.ACTIVE),
        ("barred", Status.BANNED),
    ):
        email = f"{name}{block_id}@example.com"
        user = register_user(origin=origin, name=f"{name} {block}", email=email)
        memberships[name] = start_membership(
            origin=origin, user=user, block=block, apartment=units[3], status=status
        )
    someone = memberships["member"].user
    add_contact(origin=origin, user=someone, kind=Kind.PHONE, typed=f"0106660{block_id}001")
    add_contact(origin=origin, user=someone, kind=Kind.PHONE, typed=f"0106660{block_id}002")
    secondary, hidden = [each for each in contacts_of(someone) if each.secondary][:2]
    hide_contact(origin=origin, contact=hidden, hidden=True)
    people = {}
    for name in ("newcomer", "invited", "waiting", "suspended", "guarded"):
        email = f"{name}{block_id}@example.com"
        people[name] = register_user(origin=origin, name=f"{name} {block}", email=email)
        start_membership(origin=origin, user=people[name], block=block, apartment=units[3])
    invite(origin=origin, user=people["invited"], made_by=None)
    User.objects.filter(pk=people["waiting"].pk).update(status=Status.PENDING)
    User.objects.filter(pk=people["suspended"].pk).update(status=Status.BANNED)
    for each in (people["guarded"], person("admin")):
        SecondFactor.objects.get_or_create(user=each, seed=f"{each.pk}", last_step=0)
    return {
        "unit": units[0].pk,
        "retired": units[1].pk,
        "other": units[2].pk,
        "home": units[3].pk,
        "office": Membership.objects.managing().filter(block=block).earliest("pk").pk,
        "person": someone.pk,
        "secondary": secondary.key,
        "hidden": hidden.key,
        "edited": Entry.objects.filter(action=Action.APARTMENT_CHANGED).latest("pk").pk,
    } | {name: each.pk for name, each in (memberships | people).items()}


def tables():
    """Every table's rows as they are, but for what is written of all."""
    return {
        model._meta.db_table: list(model._default_manager.order_by("pk").values_list())
        for model in apps.get_models()
        if not model._meta.db_table.startswith(WRITTEN_OF_ALL)
    }


def changed(before):
    """The names of the tables whose rows are others by now."""
    now = tables()
    return {name for name in now if now[name] != before[name]}


class taken_back:
    """What is written within it is taken back at its end."""

    def __enter__(self):
        self.atomic = transaction.atomic()
        self.atomic.__enter__()

    def __exit__(self, *error):
        transaction.set_rollback(True)
        self.atomic.__exit__(*error)


# --- The app -----------------------------------------------------------------------------------------


def named(method, whose, block, unit):
    """The fields of a call that names this block and unit, or others."""
    foreign = {1: (2, 12), 2: (1, 1), 3: (2, 12), 4: (2, 12)}[block]
    another = {1: 5, 2: 12, 3: 5, 4: 5}[block]
    at = {"own": (block, unit), "foreign": foreign, "another": (block, another)}
    block, unit = at.get(whose, (block, None))
    fields = {"api": method, "blockId": block} | ({} if unit is None else {"apartmentId": unit})
    return fields | ({"floorNum": 1, "aptNum": 900} if method in CREATE else {"phoneNumber": NEW})


NEW = "01055599999"


def session_of(user):
    """Their last session in the app."""
    return AppSession.objects.filter(user=user).latest("pk")


def sent(line, user, block, unit):
    """The body of a line of rights.CALLS."""
    address, method, whose = line.names
    if address == "Auth/Login":
        return {"email": user.email, "password": PASSWORD}
    if address == "Auth/EndSession":
        others = AppSession.objects.exclude(user=user).latest("pk")
        return {"sessionId": others.pk if whose == "foreign" else session_of(user).pk}
    if address == "Auth/Sessions":
        return {}
    if method == "-":
        return {"refresh": str(Refresh.of(session_of(user)))}
    return named(method, whose, block, unit)


@pytest.mark.parametrize("head", rights.CALLERS)
def test_what_the_app_answers_to(everybody, head):
    name, block, unit = rights.CALLERS[head]
    wrong = []
    App(person("neighbour" if name != "neighbour" else "manager"))
    for line in lines(rights.CALLS, 3):
        user = person(name)
        app, cell = App(user), line.cells[head]
        before, log = tables(), Entry.objects.count()
        with taken_back():
            body = sent(line, user, block, unit)
            bare = line.names[0] in {"Auth/Login", "Auth/Refresh", "Auth/Logout"}
            token = {} if bare else {"Authorization": f"Bearer {app.token}"}
            answer = app.post(line.names[0], body, headers=token)
            found = (answer.status_code, answer.json().get("message"))
            expected = rights.ANSWERS.get(cell, (200, None))
            key = line.names[1] if line.names[1] != "-" else line.names[0]
            rows = rights.CHANGES[key] if cell == "+" else set()
            # Whoever may not sign in is told so before anybody looks at what they ask.
            entries = int(cell not in {"wt", "xx", "ns"} or line.names[0] == "Auth/Login")
            entries -= line.names[0] == "Auth/Sessions" and cell == "+"
            happened = (found, changed(before), Entry.objects.count() - log)
            if happened != (expected, rows, entries):
                wrong.append((*line.names, cell, happened))
    assert wrong == []


def test_no_two_letters_stand_for_two_things():
    people = rights.CALLERS | rights.COMERS
    assert not set(people) & (set(rights.ANSWERS) | set(rights.SIGNS))
    cells = {cell for line in lines(rights.CALLS, 3) for cell in line.cells.values()}
    assert cells == {*rights.ANSWERS, "+"}
    for head in set(rights.CALLERS) & set(rights.COMERS):
        assert rights.CALLERS[head][0] == rights.COMERS[head]
    for letters in {*people, *rights.ANSWERS, *rights.SIGNS}:
        assert re.search(rf"(?m)(^| |, ){re.escape(letters)}[ ,\"]", rights.__doc__), letters


def test_every_method_and_address_of_the_app_has_its_lines():
    known = {line.names[:2] for line in lines(rights.CALLS, 3)}
    methods = {("Create", name) for name in CREATE} | {("Update", name) for name in UPDATE}
    missing = methods - known
    assert not missing, f"tests/rights.py does not say who may call {missing}: add lines to CALLS."
    asked = {resolve(f"/omartyapis/{address}/").route for address, _method in known}
    addresses = {route for route in all_routes() if re.match(r"omartyapis/\w.*\$$", route)}
    missing = addresses - asked
    assert not missing, f"tests/rights.py does not say who may ask {missing}: add lines to CALLS."


# --- Tokens --------------------------------------------------------------------------------------------


def tokens(user, address):
    """Every kind of token of rights.TOKENS for an address, by its name there."""
    session = session_of(user)
    good = Refresh.of(session)
    raw = str(good if address in IN_A_FIELD else good.access_token)
    claims = jwt.decode(raw, options={"verify_signature": False})
    past = int((timezone.now() - timedelta(minutes=1)).timestamp())
    others = AppSession.objects.exclude(user=user).latest("pk")

    def signed(key=settings.JWT_SIGNING_KEY, algorithm="HS256", without="", **other):
        mine = claims | other
        mine.pop(without, None)
        return jwt.encode(mine, key, algorithm)

    former = settings.JWT_FORMER_KEYS[0]
    return {
        "access": str(good.access_token),
        "refresh": str(good),
        "former-key": signed(former),
        "no-token": None,
        "not-a-token": "x.y.z",
        "other-scheme": raw,
        "expired": signed(exp=past),
        "former-key-expired": signed(former, exp=past),
        "another-key": signed("another-key-of-nobody-another-key-of-nobody"),
        "the-pages-key": signed(settings.SECRET_KEY),
        "alg-none": signed(None, "none"),
        "other-algorithm": signed(settings.JWT_SIGNING_KEY * 2, "HS512"),
        "without-end": signed(without="exp"),
        "without-id": signed(without="jti"),
        "without-kind": signed(without="token_type"),
        "without-person": signed(without="id"),
        "of-nobody": signed(id="999999"),
        "of-no-number": signed(id="1 OR 1=1"),
        "former-stamp": signed(stamp="another"),
        "without-session": signed(without="session"),
        "ended-session": signed(session=session.pk + 10**6),
        "anothers-session": signed(session=others.pk),
        "spent": signed(jti=uuid.uuid4().hex),
    }


# The addresses that take a refresh token in a field; the others take one in the header.
IN_A_FIELD = {"Auth/Refresh", "Auth/Logout"}


def presented(app, address, name, token):
    """The answer to a right request with this token, where the address wants it."""
    if address in IN_A_FIELD:
        return app.post(address, {} if token is None else {"refresh": token}, headers={})
    scheme = "Basic" if name == "other-scheme" else "Bearer"
    headers = {} if token is None else {"Authorization": f"{scheme} {token}"}
    if address.startswith("Auth"):
        return app.post(address, {"sessionId": session_of(app.person).pk}, headers=headers)
    method, unit = ("CreateApartment", 1) if address == "Create" else ("AddContact", 1)
    return app.post(address, named(method, "own", 1, unit), headers=headers)


@pytest.mark.parametrize("address", lines(rights.TOKENS, 1)[0].cells)
def test_what_each_kind_of_token_opens(address):
    App(person("resident"))
    app = App(person("manager"))
    kinds = tokens(app.person, address)
    table = lines(rights.TOKENS, 1)
    assert {line.names[0] for line in table} == set(kinds)
    assert set(table[0].cells) == {line.names[0] for line in lines(rights.CALLS, 3)} - {
        "Auth/Login"
    }
    wrong = []
    for line in table:
        [name], cell = line.names, line.cells[address]
        if cell == "-":
            continue
        before = tables()
        with taken_back():
            answer = presented(app, address, name, kinds[name])
            found = (answer.status_code, answer.json().get("message"))
            # A spent one ends the session.
            changes = cell == "spent" or (cell == "+" and address != "Auth/Sessions")
            if found != rights.TOKEN_ANSWERS[cell] or bool(changed(before)) != changes:
                wrong.append((name, cell, found, changed(before)))
    assert wrong == []


# --- The back-office -----------------------------------------------------------------------------------


def all_routes(patterns=None, before=""):
    """The route of every address of the project."""
    for each in get_resolver("omarty.urls").url_patterns if patterns is None else patterns:
        # As Django joins them in a match.
        route = before + str(each.pattern).removeprefix("^" if before else "")
        if isinstance(each, URLResolver):
            yield from all_routes(each.url_patterns, route)
        else:
            yield route


def filled(text, kinds):
    """The text with each `<kind>` as the id of that row."""
    return re.sub(r"<(\w+)>", lambda found: str(kinds[found[1]]), str(text))


class Comers:
    """Each person of rights.COMERS at the back-office, signed in once; the forms that pages have."""

    def __init__(self, rows):
        self.rows = rows
        self.sessions = {}
        for head, name in rights.COMERS.items():
            client = Desk(name) if name else Client(headers={"accept-language": "en"})
            self.sessions[head] = client, client.cookies.output()
        self.form = cache(self._form)
        # Of every request what it writes is taken back.
        self.before, self.log = tables(), Entry.objects.filter(refused="").count()

    def client(self, head):
        """The person's browser, with the cookies of their sign-in and nothing else."""
        client, cookies = self.sessions[head]
        client.cookies = SimpleCookie(cookies.replace("Set-Cookie: ", ""))
        return client

    def _form(self, address):
        """What a browser sends of a page's form: the superuser's, who has all of them."""
        with taken_back():
            opened = self.client("su").get(address)
            page = opened.status_code == 200 and b"<form" in opened.content
            return fields_of(opened) if page else {}

    def body(self, address, action, kinds):
        """What is sent to a line's address."""
        typed = rights.SENT.get(action or address.partition("?")[0], {})
        if action == "save":
            return self._typed_into_list(kinds["unit"])
        if action:
            name, kind = action.rstrip(">").split("<")
            chosen = {"action": name, "_selected_action": str(kinds[kind])}
            return chosen | {"sure": "1", "reason": "why", "day": str(timezone.localdate())}
        return typed

    def _typed_into_list(self, unit):
        row = {"form-0-id": unit, "form-0-number": 901, "form-0-floor": 9}
        row |= {"form-0-occupancy": "vacant", "initial-form-0-occupancy": "vacant"}
        shown = Apartment.objects.get(pk=unit)
        row |= {"initial-form-0-number": shown.number, "initial-form-0-floor": shown.floor}
        return row | {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "_save": "Save"}

    def asked(self, head, verb, names):
        """The sign of what this person gets by GET or POST, as rights.SIGNS has it."""
        address, where = names
        kinds = self.rows[BLOCKS[where]]
        path, _, action = address.partition("!")
        url = filled(path, kinds)
        known = self.form(url) if verb == "POST" and not action else {}
        with taken_back():
            client = self.client(head)
            if verb == "GET":
                return sign(client.get(url), done=False)
            body = self.body(path, action, kinds)
            typed = {name: filled(value, kinds) for name, value in body.items()}
            answer = client.post(url, known | with_files(typed))
            # What has a preview is sent once more, as the preview's button does.
            if answer.status_code == 200 and b'name="confirmed" value="' in answer.content:
                answer = client.post(url, fields_of(answer))
            written = Entry.objects.filter(refused="").count() != self.log
            return sign(answer, done=written or bool(changed(self.before)))


def with_files(typed):
    return typed | {
        name: SimpleUploadedFile("units.csv", text.encode())
        for name, text in typed.items()
        if name == "import_file"
    }


def sign(answer, *, done):
    """An answer as one sign of rights.SIGNS."""
    code, to = answer.status_code, answer.get("Location", "")
    if "attachment" in answer.get("Content-Disposition", ""):
        found = "f"
    elif to.startswith("/admin/login/") or b'name="sign_in-password"' in answer.content:
        found = "s"
    elif code == 302 and to == "/admin/" and unknown(answer):
        found = "u"
    else:
        found = {200: "p", 302: "r", 301: "r", 403: "x", 404: "4", 405: "5", 400: "6"}.get(
            code, "?"
        )
    # What shows something to nobody else is done too: it leaves an entry.
    return "+" if done and found in {"r", "p"} else "!" if done and found != "f" else found


def unknown(answer):
    """Whether a message says that there is no such row."""
    sent = getattr(answer.wsgi_request, "_messages", ())
    return any("exist" in str(message) for message in sent)


@pytest.mark.parametrize("head", rights.COMERS)
def test_what_the_pages_answer_to(rows, head):
    comers = Comers(rows)
    wrong = []
    for line in lines(rights.PAGES, 2):
        found = "".join(comers.asked(head, verb, line.names) for verb in ("GET", "POST"))
        if found != line.cells[head]:
            wrong.append((*line.names, f"{found!r}, not {line.cells[head]!r}"))
    assert wrong == [], f"to {rights.COMERS[head] or 'nobody'}: tests/rights.py, PAGES"


def test_every_address_has_its_line():
    kinds = dict.fromkeys(re.findall(r"<(\w+)>", rights.PAGES), 1)
    asked = {
        resolve(re.split(r"[?!]", filled(line.names[0], kinds))[0]).route
        for line in lines(rights.PAGES, 2)
    }
    asked |= {resolve(f"/omartyapis/{line.names[0]}/").route for line in lines(rights.CALLS, 3)}
    missing = set(all_routes()) - asked
    assert not missing, f"tests/rights.py does not say who may open {missing}: add lines to PAGES."


def test_every_action_on_chosen_rows_has_its_lines():
    known = {line.names[0].partition("<")[0] for line in lines(rights.PAGES, 2)}
    desk = Desk("admin")
    for model, model_admin in admin.site._registry.items():
        path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        form = desk.get(path).context["action_form"]
        offered = {name for name in dict(form.fields["action"].choices) if name} if form else set()
        offered |= {"save"} if getattr(model_admin, "list_editable", ()) else set()
        missing = {f"{path}!{name}" for name in offered} - known
        assert not missing, (
            f"tests/rights.py does not say who may do {missing}: add lines to PAGES."
        )


def test_every_line_stands_for_here_and_there_or_neither():
    """What names a row is asked for with an own row and with another block's."""
    places: dict[str, set[str]] = {}
    for line in lines(rights.PAGES, 2):
        places.setdefault(line.names[0], set()).add(line.names[1])
        assert set("".join(line.cells.values())) <= set(rights.SIGNS) - {"!"}, line
    assert {
        address for address, found in places.items() if "<" in address and len(found) < 2
    } == set()
    assert set(map(frozenset, places.values())) == {frozenset({"-"}), frozenset({"here", "there"})}


def test_what_is_typed_belongs_to_an_address():
    paths = {line.names[0].partition("?")[0] for line in lines(rights.PAGES, 2)}
    assert set(rights.SENT) - paths == set()
