"""What the back-office holds: importing a module of `omarty/office/` registers it."""

from omarty.office import audit, blocks, contacts, people, quarantine, units
from omarty.office.site import OmartySite

__all__ = ["OmartySite", "audit", "blocks", "contacts", "people", "quarantine", "units"]
