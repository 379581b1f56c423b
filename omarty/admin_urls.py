"""Addresses of the back-office's pages."""

from django.db import models
from django.urls import reverse


def admin_url_for(model: type[models.Model], key: object) -> str:
    """The path of the page of a record with this primary key."""
    meta = model._meta
    return f"{reverse('admin:index')}{meta.app_label}/{meta.model_name}/{key}/change/"
