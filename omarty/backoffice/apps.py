"""Django's admin with a site of ours."""

from django.contrib.admin.apps import AdminConfig


class BackofficeConfig(AdminConfig):
    default_site = "omarty.backoffice.site.OmartySite"
