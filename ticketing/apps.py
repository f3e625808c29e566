"""The wiring app: management commands and what must be set up once per process."""

from django.apps import AppConfig
from django.core.signals import request_finished, request_started
from django.db import close_old_connections


class TicketingConfig(AppConfig):
    name = "ticketing"

    def ready(self) -> None:
        """The driver looks after its connections: what Django does about them around every request does nothing."""
        request_started.disconnect(close_old_connections)
        request_finished.disconnect(close_old_connections)
