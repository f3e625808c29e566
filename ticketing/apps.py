"""The wiring app: management commands and what must be set up once per process."""

from django.apps import AppConfig


class TicketingConfig(AppConfig):
    name = "ticketing"
