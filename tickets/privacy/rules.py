"""Pure rules of privacy: what stands where text was, pseudonyms, reasons, and receipts that prove themselves."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from ticketing.errors import Conflict, InvalidInput, Message
from tickets.rules import REMOVED, clean_text
from tickets.search.rules import search_terms

MAX_REASON = 500
# No request lives longer: servers and gateways cut them off after 30 seconds.
REQUESTS_END_WITHIN = timedelta(seconds=60)
RECEIPT_FORMAT = 1


class OnLegalHold(Conflict):
    """``data`` names the hold, and what it is on."""

    code, title = "legal_hold", "A legal hold keeps this from being removed"


def clean_reason(reason: str) -> str:
    """Why a hold is placed: text of 1 to 500 characters. Raises InvalidInput."""
    cleaned = clean_text(reason, "reason", required=True).strip()
    if len(cleaned) > MAX_REASON:
        raise InvalidInput.of("reason", Message("has more than {limit} characters", limit=MAX_REASON), "max_length")
    return cleaned


def pseudonym_of(random: str) -> str:
    """What an erased person is called from now on; ``random`` is hexadecimal and of nothing of his."""
    return f"erased-{random}"


def remaining_terms(ticket: Mapping[str, Any], thread: Iterable[Mapping[str, Any]], language: str) -> dict[str, Any]:
    """The search words of a ticket's texts that are still there; ``thread`` as for ``search_terms``."""
    title = "" if ticket["title"] == REMOVED else ticket["title"]
    left = [each for each in thread if each["body"] != REMOVED]
    return search_terms(ticket["number"], title, ticket["description"], left, language)


def make_receipt(erasure: Mapping[str, Any], tenant: str, finished_at: datetime) -> dict[str, Any]:
    """What was erased where, when, by whom; nothing of what was erased. ``sha256`` is of all the rest of it."""
    by = erasure["requested_by_id"]
    receipt = {
        "format": RECEIPT_FORMAT,
        "erasure": str(erasure["_id"]),
        "tenant": tenant,
        "user": str(erasure["user_id"]),
        "pseudonym": erasure["pseudonym"],
        "content_removed": erasure["content"],
        "requested_by": None if by is None else str(by),
        "requested_via": erasure["requested_via"],
        "requested_at": erasure["requested_at"].isoformat(timespec="milliseconds"),
        "finished_at": finished_at.isoformat(timespec="milliseconds"),
        "counts": dict(sorted(erasure["counts"].items())),
    }
    return {**receipt, "sha256": receipt_hash(receipt)}


def receipt_hash(receipt: Mapping[str, Any]) -> str:
    """SHA-256 of a receipt without its ``sha256``: as JSON with sorted names, without blanks, in UTF-8 (RFC 8785)."""
    rest = {name: value for name, value in receipt.items() if name != "sha256"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
