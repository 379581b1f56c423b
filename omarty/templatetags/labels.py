"""`{{ membership.block|unit_in_block:membership.apartment }}`: block and unit in words."""

from django import template

from omarty.backoffice.base.labels import unit_in_block

register = template.Library()
register.filter("unit_in_block", unit_in_block)
