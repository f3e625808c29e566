"""A small API on the base, for its tests: notes that are stored, and views that misbehave on demand."""

from typing import Any

from django.http import Http404
from django.urls import include, path, reverse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Action
from ticketing import urls as platform
from ticketing.api.filters import (
    ChoicesFilter,
    FlagFilter,
    IdsFilter,
    SearchFilter,
    StrictFilterSet,
    TimeFilter,
    WordsFilter,
)
from ticketing.api.pagination import COUNT_CAP, page_request, wants_count
from ticketing.api.serializers import (
    LineField,
    ObjectIdField,
    StrictSerializer,
    TextField,
    UTCDateTimeField,
    WordsField,
)
from ticketing.api.views import ApiView, Parameter
from ticketing.clock import now
from ticketing.errors import ProgrammingBug
from ticketing.mongo import parse_object_id
from ticketing.mongo.client import transactional
from ticketing.mongo.repository import Repository


class Notes(Repository):
    collection_name = "sample_notes"
    noun = "The note"


class PartIn(StrictSerializer):
    name = LineField()


class NoteIn(StrictSerializer):
    title = LineField()
    text = TextField(required=False, allow_blank=True)
    amount = serializers.IntegerField(required=False, min_value=0)
    ratio = serializers.FloatField(required=False)
    flag = serializers.BooleanField(required=False)
    kind = serializers.ChoiceField(["small", "large"], required=False)
    tags = WordsField(required=False)
    owner = ObjectIdField(required=False, allow_null=True)
    due = UTCDateTimeField(required=False)
    parts = PartIn(many=True, required=False)
    version = serializers.IntegerField(read_only=True)


class NoteOut(serializers.Serializer[Any]):
    id = serializers.CharField()
    title = serializers.CharField()
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class NoteFilters(StrictFilterSet):
    kind = ChoicesFilter("kind", ["small", "large"])
    tag = WordsFilter("tags", max_length=10)
    owner = IdsFilter("owner", me=True, none=True)
    flag = FlagFilter("flag")
    created_at__gte = TimeFilter("created_at", "gte")
    q = SearchFilter(20)
    orderings = {"-created_at": [("created_at", -1), ("_id", -1)], "created_at": [("created_at", 1), ("_id", 1)]}


def shown(note: dict[str, Any]) -> dict[str, Any]:
    return {"id": note["_id"], "title": note["title"], "version": note["version"], "created_at": note["created_at"]}


@transactional
def add_note(tenant_id: Any, values: dict[str, Any]) -> dict[str, Any]:
    return Notes(tenant_id).insert({**values, "version": 1, "created_at": now()})


class NotesView(ApiView):
    actions = {"GET": Action.TICKETS_READ_OWN, "POST": Action.TICKETS_CREATE}
    inputs = {"POST": NoteIn}
    outputs = {"GET": NoteOut, "POST": NoteOut}
    filters, paginated, sparse, includes = NoteFilters, True, True, ("owner",)

    def get(self, request: Request) -> Response:
        notes = Notes(self.actor.tenant_id)
        sort = NoteFilters.orderings[request.query_params.get("ordering", "-created_at")]
        page = notes.page({}, sort, page_request(request))
        count = notes.count({}, cap=COUNT_CAP + 1) if wants_count(request) else None
        return self.page(page, [self.select(shown(row)) for row in page.rows], count)

    def post(self, request: Request) -> Response:
        note = add_note(self.actor.tenant_id, self.validated())
        return self.created(shown(note), reverse("note", args=[note["_id"]]), version=1)


class NoteView(ApiView):
    actions = {"GET": Action.TICKETS_READ_OWN, "PATCH": Action.TICKETS_EDIT_OWN, "PUT": Action.TICKETS_EDIT_OWN}
    inputs = {"PATCH": NoteIn, "PUT": NoteIn}
    outputs = {"GET": NoteOut}
    versioned = True

    def get(self, request: Request, id: str) -> Response:
        note = self._note(id)
        return self.answer(shown(note), version=note["version"])

    def patch(self, request: Request, id: str) -> Response:
        note = self._note(id)
        expected = self.expected_version(note["version"], required=request.method == "PUT")
        note = Notes(self.actor.tenant_id).update(note["_id"], self.validated(), expected_version=expected)
        return self.answer(shown(note), version=note["version"])

    put = patch

    def delete(self, request: Request, id: str) -> Response:
        raise AssertionError("a method without an action was let through")

    def _note(self, text: str) -> dict[str, Any]:
        return Notes(self.actor.tenant_id).get(parse_object_id(text))  # type: ignore[arg-type]


class FailingView(ApiView):
    """POST ?how= stores a note and then fails, which must leave nothing behind."""

    actions = {"POST": Action.TICKETS_CREATE, "GET": Action.TICKETS_CREATE}
    parameters = {"POST": [Parameter("how", "The exception to raise")], "GET": [Parameter("how", "As above")]}

    def get(self, request: Request) -> Response:
        raise {"bug": ProgrammingBug("the secret detail"), "404": Http404("hidden"), "zero": ZeroDivisionError("x")}[
            request.query_params["how"]
        ]

    def post(self, request: Request) -> Response:
        add_note(self.actor.tenant_id, {"title": "stored and then taken back"})
        if request.query_params.get("how"):
            raise ZeroDivisionError
        return Response({"ok": True})


class SecretView(ApiView):
    actions = {"POST": Action.TICKETS_CREATE}
    secret_response = True

    def post(self, request: Request) -> Response:
        add_note(self.actor.tenant_id, {"title": "secret"})
        return Response({"secret": "swordfish"}, status=201)


class UploadView(ApiView):
    actions = {"POST": Action.TICKETS_CREATE}

    def post(self, request: Request) -> Response:
        content = request.FILES["file"].read()
        add_note(self.actor.tenant_id, {"title": content.decode()})
        return Response({"length": len(content)})


class SignInView(ApiView):
    public = True
    throttle = "sign_in"

    def post(self, request: Request) -> Response:
        return Response({})


handler400, handler403 = platform.handler400, platform.handler403
handler404, handler500 = platform.handler404, platform.handler500
urlpatterns = [
    path("api/v1/", include([
        path("notes", NotesView.as_view(), name="notes"),
        path("notes/<str:id>", NoteView.as_view(), name="note"),
        path("failing", FailingView.as_view()),
        path("secrets", SecretView.as_view()),
        path("uploads", UploadView.as_view()),
        path("sign-in", SignInView.as_view()),
    ])),
    *platform.urlpatterns,
]  # fmt: skip
