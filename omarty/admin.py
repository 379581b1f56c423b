"""What the back-office holds: importing a module of `omarty/office/` registers it."""

from omarty.office import contacts, people, units
from omarty.office.site import OmartySite

__all__ = ["OmartySite", "contacts", "people", "units"]
