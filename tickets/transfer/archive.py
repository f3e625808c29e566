"""What an export is made of: the collections in it, the manifest, and what it leaves out.

An export is a folder: ``manifest.json``, ``tenant.json``, one ``<collection>.jsonl`` in MongoDB Extended JSON for each
of COLLECTIONS, and ``files/<attachment's id>``. It may hold password and key hashes, so only its owner may read it.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from accounts.repository import ApiKeyRepository, TeamRepository, UserRepository
from ticketing.errors import InvalidInput
from ticketing.mongo import ObjectId
from ticketing.mongo.extended_json import from_json
from ticketing.mongo.pages import Sort
from ticketing.mongo.repository import Document, Repository
from tickets.attachments.repository import AttachmentRepository
from tickets.canned_replies.repository import CannedReplyRepository
from tickets.conversation.repository import CommentRepository
from tickets.events.repository import EventRepository
from tickets.mentions.repository import MentionRepository
from tickets.repository import TicketRepository
from tickets.saved_views.repository import SavedViewRepository

FORMAT = 1
MANIFEST, TENANT, FILES = "manifest.json", "tenant.json", "files"
_CHUNK = 1024 * 1024
LONGEST_LINE = 64 * 1024 * 1024  # a document has 16 MB at most, and in JSON some more


@dataclass(frozen=True, slots=True)
class Collection:
    """``order`` is that of an index, so that nothing is sorted in memory."""

    repository: type[Repository]
    order: Sort

    @property
    def name(self) -> str:
        return self.repository.collection_name

    @property
    def file_name(self) -> str:
        return f"{self.name}.jsonl"


TICKETS = Collection(TicketRepository, [("number", 1)])
ATTACHMENTS = Collection(AttachmentRepository, [("ticket_id", 1), ("created_at", 1), ("_id", 1)])
# Exports made before these came are complete without them.
LATER = (
    Collection(MentionRepository, [("user_id", 1), ("comment_id", 1)]),
    Collection(SavedViewRepository, [("owner_id", 1), ("name", 1)]),
    Collection(CannedReplyRepository, [("owner_id", 1), ("team_id", 1), ("name", 1)]),
)
COLLECTIONS = (
    Collection(TeamRepository, [("name", 1)]),
    Collection(UserRepository, [("created_at", 1), ("_id", 1)]),
    Collection(ApiKeyRepository, [("created_at", 1), ("_id", 1)]),
    TICKETS,
    Collection(CommentRepository, [("ticket_id", 1), ("created_at", 1), ("_id", 1)]),
    Collection(EventRepository, [("ticket_id", 1), ("version", 1), ("position", 1)]),
    ATTACHMENTS,
    *LATER,
)

# A tenant's collections that are not exported, and why.
LEFT_OUT = {
    "idempotency_records": "answers to requests of the last hours",
    "uploads": "files on their way, for an hour",
    "exports": "what was exported before",
    "legal_holds": "stand where they were placed; a copy has its own",
    "erasures": "receipts of what was erased here",
    "file_removals": "files on their way out",
    "drafts": "not sent yet; whoever writes one has it here",
    "presence": "who looks at what at this moment",
    "bulk_changes": "kept for some days, to take a change back here",
    "token_families": "whoever is signed in here is not signed in there",
    "stat_cells": "counted anew from the tickets",
    "stat_deltas": "counted anew from the tickets",
    "stat_times": "counted anew from the tickets",
    "stat_ledgers": "counted anew from the tickets",
}


@dataclass(frozen=True, slots=True)
class FileEntry:
    """``rows`` is 0 for a file that has none."""

    sha256: str
    bytes: int
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Manifest:
    """``last_number`` is the ticket number handed out last; ``files`` are all but those of attachments.

    ``credentials`` says whether the hashes of passwords and the API keys are in it.
    """

    tenant: str
    tenant_id: str
    exported_at: str
    last_number: int
    attachment_files: int
    attachment_bytes: int
    files: Mapping[str, FileEntry]
    credentials: bool = True

    def to_text(self) -> str:
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Raises InvalidInput for a folder that is no complete export of a format that is known here."""
        path = folder / MANIFEST
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            if values.pop("format") != FORMAT:
                raise InvalidInput.of("manifest", f"{path} is of another format than {FORMAT}")
            files = {name: FileEntry(**entry) for name, entry in values.pop("files").items()}
            manifest = cls(**values, files=files)
        except OSError as error:
            raise InvalidInput.of(
                "folder", f"{folder} holds no complete export: {error.strerror}: {path.name}"
            ) from None
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise InvalidInput.of("manifest", f"{path} is damaged: {error}") from None
        known = {TENANT, *(each.file_name for each in COLLECTIONS)}
        needed = known - {each.file_name for each in LATER}
        wrong = (needed - files.keys()) | (files.keys() - known)
        if wrong:
            raise InvalidInput.of("manifest", f"{path} does not list, or should not list {', '.join(sorted(wrong))}")
        return manifest


def hash_of(path: Path) -> FileEntry:
    """The file's checksum and size. Raises InvalidInput when it cannot be read."""
    digest = hashlib.sha256()
    size = 0
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
    except OSError as error:
        raise InvalidInput.of("folder", f"{path}: {error.strerror}") from None
    return FileEntry(digest.hexdigest(), size)


def read_documents(path: Path) -> Iterator[Document]:
    """The documents of a JSON lines file, one at a time. Raises InvalidInput naming the line."""
    with path.open(encoding="utf-8", newline="\n") as file:
        for number, line in enumerate(iter(lambda: file.readline(LONGEST_LINE + 1), ""), 1):
            try:
                if len(line) > LONGEST_LINE:
                    raise ValueError(f"a line has at most {LONGEST_LINE:,} characters")
                document = from_json(line)
                if not isinstance(document.get("_id"), ObjectId):  # it names a file as well
                    raise ValueError("the document has no id")  # noqa: TRY004 - like from_json's own
            except ValueError as error:
                raise InvalidInput.of("folder", f"{path}, line {number}: {error}") from None
            yield document
