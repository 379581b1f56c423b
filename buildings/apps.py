from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BuildingsConfig(AppConfig):
    name = "buildings"
    verbose_name = _("Buildings")

    def ready(self) -> None:
        """Have the messages written that tell of blocks, or go by who belongs to them."""
        import_module("buildings.request_notices")
        import_module("buildings.invitation_messages")
