"""Where the back-office shows a record."""

from django.db import models
from django.urls import reverse


def admin_url_for(model: type[models.Model], key: object) -> str:
    """The path of the record's page."""
    meta = model._meta
    return f"{reverse('admin:index')}{meta.app_label}/{meta.model_name}/{key}/change/"
