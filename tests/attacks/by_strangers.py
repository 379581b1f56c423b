"""A manager tries to learn of people outside their blocks, or a stranger fills a block's log."""

from tests.attacks.tools import Browser, at_once, attack, call, plain, sign_in
from tests.server import Served

# Who holds them is another block's manager, nobody's neighbour, or merely asks to belong.
HELD = ("01000000007", "01000000006", "01000000004", "01100000007")
NAMES = ("Nadia", "نادية جارة", "Osman Outsider", "Pakinam Pending")
NOBODYS = "01055512345"
SAID = ("Osman", "Pakinam", "neighbour", "outsider", "pending@")
UNIT = "/admin/buildings/apartment/5/move-in/"
PERSON = "/admin/contacts/user/3/add-contact/"


def _learns_nothing(ask: object, server: Served) -> str:
    assert callable(ask)
    pages, manager = set(), Browser(server, "manager")
    for phone in HELD:
        for name in NAMES:
            page = plain(ask(manager, phone, name), phone, *NAMES)
            told = [word for word in SAID if word in page]
            assert not told, f"the page says {told}"
            pages.add(page)
    held = plain(ask(manager, HELD[0], NAMES[0]), HELD[0], *NAMES)
    free = plain(ask(manager, NOBODYS, NAMES[0]), NOBODYS, *NAMES)
    # Before the day's limit and after it: two pages at most, whoever holds it.
    assert len(pages) <= 2, f"{len(pages)} different pages tell holders apart"
    assert held == free, "after the day's limit a contact that is free answers otherwise"
    return f"{len(HELD) * len(NAMES) + 1} pages, {len(pages)} kinds, equal byte for byte"


@attack
def stranger_by_import(server: Served) -> str:
    """A row with a stranger's phone, under every name."""
    return _learns_nothing(
        lambda manager, phone, name: manager.submit(
            "/admin/buildings/apartment/import/",
            files={"import_file": ("u.csv", f"number,resident,phone\n5,{name},{phone}".encode())},
        ),
        server,
    )


@attack
def stranger_by_move_in(server: Served) -> str:
    """Moving somebody in who holds the phone elsewhere."""
    return _learns_nothing(
        lambda manager, phone, name: manager.submit(UNIT, name=name, phone=phone, role="resident"),
        server,
    )


@attack
def stranger_by_added_contact(server: Served) -> str:
    """Adding the phone to somebody of one's own."""
    return _learns_nothing(
        lambda manager, phone, name: manager.submit(PERSON, kind="phone", typed=phone), server
    )


@attack
def hidden_phone_of_a_neighbour(server: Served) -> str:
    """A member's hidden phone, by a row and as a further contact of theirs, beside a stranger's."""
    admin = Browser(server, "admin")
    # Another manager, whose day's number is not used up.
    admin.submit("/admin/buildings/membership/2/role/", role="manager")
    admin.submit("/admin/contacts/user/4/hide/?contact=phone")
    manager, hidden = Browser(server, "resident"), "01000000003"
    table, form = "number,resident,phone\n2,{},{}", "/admin/contacts/user/4/add-contact/"
    doors = {
        "a row": lambda phone: manager.submit(
            "/admin/buildings/apartment/import/",
            files={"import_file": ("u.csv", table.format("Parisa Partner", phone).encode())},
        ),
        "a further contact": lambda phone: manager.submit(form, kind="phone", typed=phone),
    }
    for name, ask in doors.items():
        pages = [plain(ask(phone), phone) for phone in (hidden, HELD[0])]
        assert pages[0] == pages[1], f"{name} with a hidden phone answers otherwise"
        told = [word for word in ("known:", "has it already", "Too many") if word in pages[0]]
        assert not told, f"{name}: the page says {told}"
    return f"{len(doors)} doors, as a stranger's byte for byte"


@attack
def stranger_by_id(server: Served) -> str:
    """Pages of foreign rows, beside those of rows that are not there."""
    manager, asked = Browser(server, "manager"), 0
    for path in ("buildings/apartment", "contacts/user", "buildings/membership", "buildings/block"):
        for page in ("change", "history", "move-in", "move-out", "role", "name", "add-floors"):
            foreign = {"contacts/user": 8, "buildings/membership": 6, "buildings/block": 2}
            pk = foreign.get(path, 11)
            ids = (str(pk), "987654321")
            pages = [plain(manager.get(f"/admin/{path}/{each}/{page}/"), *ids) for each in ids]
            assert pages[0] == pages[1], f"{path}/{pk}/{page}/ answers otherwise"
            asked += 1
    return f"{asked} pages as if unknown"


@attack
def refusals_fill_a_log(server: Served) -> str:
    """A stranger asks a block for 200 things that they may not: its log gets a line, not 200."""
    token = sign_in(server, "outsider")["Token"]
    body = {"api": "CreateApartment", "floorNum": 1, "aptNum": 1, "blockId": 1}
    answers = at_once(lambda _: call(server, "Create", body, token).status_code, range(200))
    manager = Browser(server, "manager")
    page = manager.get("/admin/audit/entry/")
    assert page.status_code == 200, f"the audit log answers {page.status_code}"
    # A row names them twice, for a desk and for a phone.
    shown = sum("Osman Outsider" in row for row in page.text.split("<tr")[1:])
    assert shown <= 5, f"{len(answers)} refusals left {shown} entries on the manager's page"
    return f"{len(answers)} refusals, {shown} entries"
