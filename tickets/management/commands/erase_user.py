"""`manage.py erase_user`: takes a person out of a tenant's data, and prints the receipt."""

import json
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.actor import Actor, Via
from tenants.services import find_tenant
from ticketing import clock
from ticketing.errors import TicketingError
from ticketing.mongo import ObjectId, parse_object_id
from ticketing.mongo.repository import Document
from ticketing.mongo.scope import tenant_scope
from tickets.privacy.erasure import continue_erasure, find_user_to_erase, preview_erasure, request_erasure
from tickets.privacy.models import ErasureState
from tickets.privacy.rules import OnLegalHold


class Command(BaseCommand):
    help = (
        "Erases a person for good: name and address become a pseudonym everywhere, sessions and keys end, and with "
        "--content the tickets he opened and whatever else he wrote lose their text and files. Counts stay. Prints a "
        "receipt as JSON. Interrupted, it is finished by running it again, or by the job privacy.erase."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", required=True, metavar="SLUG")
        who = parser.add_mutually_exclusive_group(required=True)
        who.add_argument("--email", metavar="ADDRESS")
        who.add_argument("--user", metavar="ID", help="also prints the receipt of somebody who is erased already")
        parser.add_argument("--content", action="store_true", help="remove text and files too")
        parser.add_argument("--dry-run", action="store_true", help="only tell what would be changed")
        parser.add_argument("--receipt", type=Path, metavar="FILE", help="write the receipt there as well")

    def handle(self, *, tenant: str, content: bool, dry_run: bool, receipt: Path | None, **options: Any) -> None:
        found = find_tenant(tenant)
        if found is None:
            raise CommandError(f"There is no tenant {tenant!r}")
        actor = Actor.system(found, Via.COMMAND)
        with tenant_scope(found.pk):
            try:
                user_id = _find_user(actor, options["email"], options["user"])
                if dry_run:
                    self.stdout.write(json.dumps(preview_erasure(actor, user_id, content=content), indent=2))
                    return
                text = json.dumps(self._erase(actor, user_id, content=content)["receipt"], indent=2)
            except TicketingError as error:
                raise CommandError(error.detail) from None
        self.stdout.write(text)
        if receipt is not None:
            receipt.write_text(f"{text}\n", encoding="utf-8")

    def _erase(self, actor: Actor, user_id: ObjectId, *, content: bool) -> Document:
        """Raises OnLegalHold where a hold keeps some of it."""
        erasure = continue_erasure(actor, request_erasure(actor, user_id, content=content))
        while erasure["state"] != ErasureState.DONE:
            if erasure["hold_id"] is not None:
                raise OnLegalHold(
                    f"All is done but what the legal hold {erasure['hold_id']} keeps; that waits for its end"
                )
            if sys.stderr.isatty():
                self.stderr.write("Waiting for requests that were under way …")
            time.sleep(max(1.0, (erasure["settles_at"] - clock.now()).total_seconds()))
            erasure = continue_erasure(actor, erasure)
        return erasure


def _find_user(actor: Actor, email: str | None, user: str | None) -> ObjectId:
    user_id = parse_object_id(user) if user else find_user_to_erase(actor, email or "")
    if user_id is None:
        raise CommandError("There is no such account; whoever is erased already is found by --user ID only")
    return user_id
