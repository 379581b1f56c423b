"""Password hashes from the legacy server."""

import re
from typing import Any

import bcrypt
from django.contrib.auth.hashers import BasePasswordHasher, get_hasher
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _

# Bytes that bcrypt uses. PHP cut longer passwords there; the bcrypt package raises.
LONGEST = 72
WHOLE = re.compile(r"\$2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{53}")


class PHPBcryptHasher(BasePasswordHasher):
    """Verifies hashes of PHP's `password_hash()`, stored as `php` and PHP's own `$2y$…`; makes no new ones.

    Django renews such a hash at the next sign-in, since it is not of the preferred kind.
    """

    algorithm = "php"

    @classmethod
    def adopt(cls, encoded: str) -> str:
        """A PHP hash with the prefix by which Django finds this class; any other hash unchanged."""
        return cls.algorithm + encoded if WHOLE.fullmatch(encoded) else encoded

    def decode(self, encoded: str) -> dict[str, Any]:
        algorithm, _version, rounds, rest = encoded.split("$", 3)
        return {"algorithm": algorithm, "work_factor": int(rounds), "salt": rest[:22]}

    def encode(self, password: str, salt: str) -> str:
        """The hash of the password with this bcrypt salt (`$2y$10$` and 22 characters)."""
        cut = password.encode()[:LONGEST]
        return self.algorithm + bcrypt.hashpw(cut, salt.encode("ascii")).decode("ascii")

    def verify(self, password: str, encoded: str) -> bool:
        salt = encoded.removeprefix(self.algorithm)[:29]
        try:
            right = constant_time_compare(self.encode(password, salt), encoded)
        except ValueError:
            # Not a bcrypt hash, although it begins like one.
            return False
        if not right:
            self.harden_runtime(password, encoded)
        return right

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Take as long as the preferred kind would, so that the time does not reveal the kind of hash."""
        cheaper = self.decode(encoded)["work_factor"]
        salt = self.decode(encoded)["salt"]
        for rounds in range(cheaper, getattr(get_hasher(), "rounds", cheaper)):
            self.encode(password, f"$2y${rounds:02}${salt}")

    def must_update(self, encoded: str) -> bool:
        return True

    def safe_summary(self, encoded: str) -> dict[Any, Any]:
        return {
            _("algorithm"): self.algorithm,
            _("work factor"): self.decode(encoded)["work_factor"],
        }
