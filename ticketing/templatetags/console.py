"""Template tags of the console's pages."""

from django import template

from ticketing.console.display import moment

register = template.Library()
register.simple_tag(moment)
