"""Django's admin with a site of ours."""

from django.contrib.admin.apps import AdminConfig


class OfficeConfig(AdminConfig):
    default_site = "omarty.office.site.OmartySite"
