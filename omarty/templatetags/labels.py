"""`{{ membership.block|place:membership.apartment }}`: block and unit in words."""

from django import template

from omarty.backoffice.base.labels import place

register = template.Library()
register.filter("place", place)
