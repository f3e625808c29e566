"""Template tags of the console's pages."""

from django import template

from ticketing.console.display import moment
from ticketing.console.results import result_list

register = template.Library()
register.simple_tag(moment)
register.inclusion_tag("console/results.html", takes_context=True)(result_list)
