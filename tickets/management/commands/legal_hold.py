"""`manage.py legal_hold`: keeps data from erasure and retention, and lets it go again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.actor import Actor, Via
from tenants.services import find_tenant
from ticketing.errors import TicketingError
from ticketing.mongo.repository import Document
from ticketing.mongo.scope import tenant_scope
from tickets.privacy.holds import lift_hold, place_hold
from tickets.privacy.models import HoldTarget
from tickets.privacy.repository import HoldRepository


class Command(BaseCommand):
    help = "Places a legal hold on a ticket, a user or everything of a tenant, lifts one, or lists those that stand."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", required=True, metavar="SLUG")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--ticket", metavar="ID", help="place one on this ticket (id or number)")
        what.add_argument("--user", metavar="ID", help="place one on this user")
        what.add_argument("--everything", action="store_true", help="place one on all data of the tenant")
        what.add_argument("--lift", metavar="HOLD", help="lift this one")
        parser.add_argument("--reason", metavar="TEXT", default="", help="why it is placed")

    def handle(self, *, tenant: str, **options: Any) -> None:
        found = find_tenant(tenant)
        if found is None:
            raise CommandError(f"There is no tenant {tenant!r}")
        with tenant_scope(found.pk):
            try:
                holds = _act(Actor.system(found, Via.COMMAND), **options)
            except TicketingError as error:
                raise CommandError(error.detail) from None
        for hold in holds:
            state = "lifted" if hold["lifted_at"] else "stands"
            self.stdout.write(f"{hold['_id']}  {state}  {hold['target']} {hold['target_id']}  {hold['reason']}")


def _act(
    actor: Actor, *, ticket: str | None, user: str | None, everything: bool, lift: str | None, reason: str, **_: Any
) -> list[Document]:
    if lift:
        return [lift_hold(actor, lift)]
    targets = {HoldTarget.TICKET: ticket, HoldTarget.USER: user, HoldTarget.TENANT: "" if everything else None}
    for target, reference in targets.items():
        if reference is not None:
            return [place_hold(actor, target=target.value, reference=reference, reason=reason)]
    return HoldRepository(actor.tenant_id).active()
