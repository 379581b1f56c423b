"""Claims on e-mails whose domain has letters beyond ASCII, by IDNA 2008: ß is not ss any more."""

from typing import Any

import idna
from django.db import migrations

BATCH = 2000


def renew(apps: Any, schema_editor: Any) -> None:
    """Renew the claims whose address reads otherwise now; one that another claim has by now stays."""
    claims = apps.get_model("contacts", "Claim")
    for model, name in (("User", "email"), ("SecondaryEmail", "typed")):
        owner = "pk" if model == "User" else "user_id"
        rows = apps.get_model("contacts", model).objects.order_by("pk")
        rows, last = rows.values_list("pk", owner, name), 0
        while batch := list(rows.filter(pk__gt=last)[:BATCH]):
            last = batch[-1][0]
            for _row, holder, typed in batch:
                if values := _values(typed or ""):
                    _move(claims, holder, *values)


def _values(typed: str) -> tuple[str, str] | None:
    """What the claim on an address was, and what it is now; None where both are the same."""
    local, _at, domain = typed.strip().rpartition("@")
    if domain.isascii() or not local.isascii():
        return None
    try:
        old = domain.encode("idna").decode("ascii")
        new = idna.encode(domain, uts46=True, std3_rules=True).decode("ascii")
    except UnicodeError:
        return None
    return None if old == new else (f"{local}@{old}".lower(), f"{local}@{new}".lower())


def _move(claims: Any, owner: int, old: str, new: str) -> None:
    if not claims.objects.filter(kind="email", value=new).exists():
        claims.objects.filter(kind="email", value=old, user_id=owner).update(value=new)


class Migration(migrations.Migration):
    dependencies = [("contacts", "0007_signed_by")]

    operations = [migrations.RunPython(renew, migrations.RunPython.noop)]
