"""Labels: `{{ membership.block|unit_in_block:membership.apartment }}`, `{{ entry.at|moment }}`."""

from django import template

from omarty.backoffice.base.labels import moment, unit_in_block

register = template.Library()
register.filter("unit_in_block", unit_in_block)
register.filter("moment", moment)
