"""Imports tickets from a file: row by row checked, batch by batch stored. Nobody is notified."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import tzinfo
from zoneinfo import ZoneInfo

from accounts.bulk import import_customers
from tenants.models import Tenant
from ticketing import clock
from ticketing.errors import FieldError, InvalidInput
from ticketing.mongo.client import transactional
from ticketing.mongo.repository import Document
from tickets.repository import TicketRepository
from tickets.search.rules import language_of
from tickets.stats.services import fold_all
from tickets.transfer.batches import batches
from tickets.transfer.cleaning import Cleaner, Draft
from tickets.transfer.documents import Documents, Resolved, resolve
from tickets.transfer.mapping import FieldMapping
from tickets.transfer.people import People
from tickets.transfer.reading import Row, SourceFile
from tickets.transfer.storing import store_past

BATCH = 500


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """``zone`` is that of times without one (none: the tenant's), ``time_format`` is strptime's (none: ISO 8601).

    ``batch`` is how many tickets and comments one transaction takes: more than fit into a small server's cache would
    be rolled back for ever.
    """

    dry_run: bool = False
    create_users: bool = True
    zone: tzinfo | None = None
    time_format: str = ""
    batch: int = BATCH


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that was not imported, and everything that is wrong with it."""

    row: int
    line: int
    errors: list[FieldError]


@dataclass(slots=True)
class ImportReport:
    """What came of the rows read so far. In a dry run ``imported`` and ``new_users`` are what would be."""

    rows: int = 0
    imported: int = 0
    present: int = 0
    rejected: int = 0
    new_users: int = 0
    reasons: Counter[str] = field(default_factory=Counter)


def import_tickets(
    tenant: Tenant,
    source: SourceFile,
    mapping: FieldMapping,
    options: ImportOptions,
    *,
    on_batch: Callable[[ImportReport], None] = lambda _report: None,
    on_rejection: Callable[[Rejection], None] = lambda _rejection: None,
) -> ImportReport:
    """Stores the file's tickets with their original times; rows that are there by external id are left as they are.

    A row without an external id gets one made of the file's hash and its own number, so the same file can be imported
    again after an interruption. Each batch is stored in one transaction. The report handed to ``on_batch`` is the one
    returned. Raises InvalidInput where the file or the mapping cannot be used at all.
    """
    return _Import(tenant, source, mapping, options, on_rejection).run(on_batch)


@dataclass(frozen=True, slots=True)
class _Batch:
    """Rows that are ready to be stored, and how many of them are there already or new."""

    rows: int
    present: int
    imported: int
    rejections: list[Rejection]
    new_users: list[Document]
    documents: Documents


class _Import:
    def __init__(
        self,
        tenant: Tenant,
        source: SourceFile,
        mapping: FieldMapping,
        options: ImportOptions,
        on_rejection: Callable[[Rejection], None],
    ) -> None:
        self._tickets = TicketRepository(tenant.pk)
        self._source = source
        self._mapping = mapping
        self._options = options
        self._reject_to = on_rejection
        self._people = People(tenant.pk, options.create_users)
        self._language = language_of(tenant.locale)
        self._cleaner = Cleaner(options.zone or ZoneInfo(tenant.time_zone), options.time_format, clock.now())
        self._report = ImportReport()
        self._seen: dict[str, int] = {}
        self._fingerprint = ""
        self._rejections: list[Rejection] = []

    def run(self, on_batch: Callable[[ImportReport], None]) -> ImportReport:
        self._fingerprint = self._source.fingerprint()[:16]
        columns = self._source.columns()
        if columns is not None:
            self._mapping.check_columns(columns)
        # While the database stores a batch, the next one is made ready.
        with ThreadPoolExecutor(max_workers=1) as storing:
            under_way: Future[_Batch] | None = None
            for rows in batches(self._source.rows(), self._options.batch, _weight):
                batch = self._prepare(rows)
                if under_way:
                    self._count(under_way.result(), on_batch)
                under_way = storing.submit(self._store, batch)
            if under_way:
                self._count(under_way.result(), on_batch)
        fold_all(self._tickets.tenant_id)
        return self._report

    def _prepare(self, rows: list[Row]) -> "_Batch":
        self._rejections = []
        drafts = {row.number: (row, draft) for row in rows if (draft := self._draft(row))}
        present = self._tickets.find_by_external_ids([draft.external_id for _, draft in drafts.values()])
        missing = [(row, draft) for row, draft in drafts.values() if draft.external_id not in present]
        self._people.look_up(email for _, draft in missing for email in _emails(draft))
        resolved = [found for row, draft in missing if (found := self._resolved(row, draft))]
        # Those whom only rejected rows name are left out.
        named = {user["_id"] for each in resolved for user in each.people}
        new_users = [user for user in self._people.new.values() if user["_id"] in named]
        self._people.settle(new_users)
        return _Batch(len(rows), len(present), len(resolved), self._rejections, new_users, self._documents(resolved))

    def _count(self, batch: "_Batch", on_batch: Callable[[ImportReport], None]) -> None:
        self._report.rows += batch.rows
        self._report.present += batch.present
        self._report.imported += batch.imported
        self._report.new_users += len(batch.new_users)
        for rejection in batch.rejections:
            self._report.rejected += 1
            self._report.reasons.update(f"{each.field}: {each.code}" for each in rejection.errors)
            self._reject_to(rejection)
        on_batch(self._report)

    def _draft(self, row: Row) -> Draft | None:
        try:
            if row.error:
                raise InvalidInput.of("row", row.error)
            draft = self._cleaner.draft(self._mapping.fields_of(row.values))
            self._identify(row, draft)
        except InvalidInput as error:
            self._reject(row, error)
            return None
        return draft

    def _identify(self, row: Row, draft: Draft) -> None:
        if not draft.external_id:
            draft.external_id = f"{self._fingerprint}:{row.number}"
            return
        first = self._seen.setdefault(draft.external_id, row.line)
        if first != row.line:
            raise InvalidInput.of("external_id", f"line {first} has the same one")

    def _resolved(self, row: Row, draft: Draft) -> Resolved | None:
        try:
            return resolve(draft, self._people)
        except InvalidInput as error:
            self._reject(row, error)
            return None

    def _documents(self, resolved: list[Resolved]) -> Documents:
        # Numbers are taken outside the transaction, which may run twice; the documents are the same then.
        documents = Documents(self._language)
        if resolved and not self._options.dry_run:
            for number, each in enumerate(resolved, self._tickets.reserve_numbers(len(resolved))):
                documents.add(each, number)
        return documents

    def _store(self, batch: "_Batch") -> "_Batch":
        if batch.imported and not self._options.dry_run:
            self._store_documents(batch.documents, batch.new_users)
        return batch

    @transactional
    def _store_documents(self, documents: Documents, new_users: list[Document]) -> None:
        tenant_id = self._tickets.tenant_id
        import_customers(tenant_id, new_users, by="import_tickets")
        store_past(tenant_id, tickets=documents.tickets, comments=documents.comments, events=documents.events)

    def _reject(self, row: Row, error: InvalidInput) -> None:
        self._rejections.append(Rejection(row.number, row.line, error.errors))


def _weight(row: Row) -> int:
    """How many documents a row becomes: the ticket and its comments, which are what a row has a list of objects of."""
    lists = (value for value in row.values.values() if isinstance(value, list))
    return 1 + sum(isinstance(each, dict) for value in lists for each in value)


def _emails(draft: Draft) -> Iterator[str]:
    yield from (draft.requester, draft.assignee)
    yield from (comment.author for comment in draft.comments)
