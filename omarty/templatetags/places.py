"""`{{ membership.block|place:membership.apartment }}`: block and unit in words."""

from django import template

from omarty.office.places import place

register = template.Library()
register.filter("place", place)
