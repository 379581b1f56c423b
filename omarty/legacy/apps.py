from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class LegacyConfig(AppConfig):
    name = "omarty.legacy"
    label = "legacy"
    verbose_name = _("Legacy server")

    def ready(self) -> None:
        # Models can be imported only now.
        from omarty.legacy.own_ids import keep_own_ids  # noqa: PLC0415

        post_migrate.connect(keep_own_ids, sender=self, dispatch_uid="omarty.legacy.own_ids")
