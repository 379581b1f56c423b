"""Scripts that hold no page up: `{{ media|deferred }}`."""

from django import template
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.filter
def deferred(media: object) -> SafeString:
    """The style sheets and scripts of forms; scripts run in their order once the page is there."""
    return mark_safe(str(media).replace("<script src=", "<script defer src="))  # noqa: S308
