"""What the calls are compared with: the same SQL from a bare WSGI program, without any framework.

It trusts every request: no token, no checks, and constant answers.
"""

import os
import secrets
import threading
import uuid
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import MySQLdb

_url = urlsplit(os.environ["DATABASE_URL"])
_local = threading.local()

CALLER = """
    SELECT * FROM buildings_membership m JOIN contacts_user u ON u.id = m.user_id
    JOIN buildings_block b ON b.id = m.block_id LEFT JOIN buildings_apartment a ON a.id = m.apartment_id
    WHERE m.ended_at IS NULL AND m.user_id = %s"""
UNIT = """
    INSERT INTO buildings_apartment (block_id, number, floor, name, occupancy, note, closed_at, created_at)
    VALUES (%s, %s, %s, '', 'vacant', '', NULL, UTC_TIMESTAMP(6))"""
CLAIMS = """
    SELECT * FROM contacts_claim c LEFT JOIN contacts_secondaryemail e ON e.claim_id = c.id
    LEFT JOIN contacts_secondaryphone p ON p.claim_id = c.id WHERE c.user_id = %s FOR UPDATE"""
CLAIM = "INSERT INTO contacts_claim (user_id, kind, value) VALUES (%s, 'email', %s)"
EMAIL = """
    INSERT INTO contacts_secondaryemail (user_id, claim_id, typed, hidden, created_at)
    VALUES (%s, %s, %s, 0, UTC_TIMESTAMP(6))"""
ENTRY = """
    INSERT INTO audit_entry (at, request_id, channel, actor_id, actor_label, action, refused, reason,
    target_type, target_id, target_label, person_id, person_label, block_id, block_label, apartment_id,
    apartment_label, `before`, `after`, longitude, latitude, ip,
    actor_proof, subject_proof) VALUES (UTC_TIMESTAMP(6), %s, 'api', %s,
    'Mona Manager', %s, '', '', 'apartment', %s, %s, NULL, '', %s, '1', %s, %s, NULL, '{}', NULL, NULL,
    '127.0.0.1', %s, %s)"""


def _cursor() -> Any:
    if not hasattr(_local, "connection"):
        _local.connection = MySQLdb.connect(
            user=unquote(_url.username or ""),
            db=_url.path[1:],
            unix_socket=parse_qs(_url.query)["unix_socket"][0],
            charset="utf8mb4",
        )
        _local.connection.query("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
    return _local.connection.cursor()


def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Both calls by their fields alone: `user` stands in for the token."""
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
    user, cursor = form["user"], _cursor()
    cursor.execute(CALLER, [user])
    block = cursor.fetchall()[0][6]
    if form["api"] == "CreateApartment":
        cursor.execute(UNIT, [form["blockId"], form["aptNum"], form["floorNum"]])
        label = form["aptNum"]
    else:
        cursor.execute(CLAIMS, [user])
        cursor.fetchall()
        cursor.execute(CLAIM, [user, form["email"]])
        cursor.execute(EMAIL, [user, cursor.lastrowid, form["email"]])
        label = form["email"]
    row = cursor.lastrowid
    salts = secrets.token_hex(16), secrets.token_hex(16)
    cursor.execute(ENTRY, [uuid.uuid4(), user, form["api"], row, label, block, row, label, *salts])
    _local.connection.commit()
    start_response("200 OK", [("Content-Type", "application/json")])
    return [b'{"status":200,"data":"Apartment registered."}']
