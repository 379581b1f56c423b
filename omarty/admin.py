"""What the back-office shows: importing a module of `omarty/backoffice/` registers its pages."""

from omarty.backoffice import apartments, audit_log, blocks, memberships, outbox, people, quarantine
from omarty.backoffice.site import OmartySite

__all__ = [
    "OmartySite",
    "apartments",
    "audit_log",
    "blocks",
    "memberships",
    "outbox",
    "people",
    "quarantine",
]
