"""The thread of a ticket, and single comments."""

from typing import Any

from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Action
from ticketing.api.pagination import page_request, wants_count
from ticketing.api.views import ApiView
from ticketing.mongo.repository import Document
from tickets.access import access_ticket
from tickets.api import representation
from tickets.api.inputs import CommentInput, NewCommentInput, without_visibility
from tickets.api.outputs import CommentOutput
from tickets.api.tickets import expected_version
from tickets.conversation.lists import page_of_comments
from tickets.conversation.services import access_comment, add_comment, edit_comment
from tickets.people import find_people


class _CommentView(ApiView):
    """What the views of comments share."""

    tag = "comments"

    def represent(self, comment: Document) -> Document:
        return representation.comment(self.actor, comment, find_people(self.actor, [comment["author_id"]]))


class CommentsView(_CommentView):
    """The comments of a ticket, oldest first. Customers see and write public ones only.

    A public answer may move the ticket: a customer's reopens a pending or resolved one, staff's opens a new one.
    """

    actions = {"GET": Action.COMMENTS_READ_PUBLIC, "POST": Action.COMMENTS_ADD_PUBLIC}
    inputs = {"POST": NewCommentInput}
    outputs = {"GET": CommentOutput, "POST": CommentOutput}
    paginated = True
    summary = ("author", "body", "visibility", "created_at")
    errors = {"GET": [404], "POST": [404, 409]}

    def get_serializer(self, *args: Any, **kwargs: Any) -> serializers.Serializer[Any]:
        return without_visibility(self.actor, super().get_serializer(*args, **kwargs), is_form="data" not in kwargs)

    def get(self, request: Request, id: str) -> Response:
        ticket = access_ticket(self.actor, id)
        page = page_of_comments(self.actor, ticket, page_request(request))
        people = find_people(self.actor, representation.authors(page))
        rows = [representation.comment(self.actor, comment, people) for comment in page.rows]
        count = representation.visible_count(self.actor, ticket, "comment_count") if wants_count(request) else None
        return self.page(page, rows, count)

    def post(self, request: Request, id: str) -> Response:
        """Answers on a ticket, or, for staff, adds an internal note."""
        comment = add_comment(self.actor, id, **self.validated())
        location = reverse("comment", args=[comment["_id"]])
        return self.created(self.represent(comment), location, version=comment["version"])


class CommentView(_CommentView):
    """One comment; its author may change the text for some minutes, and the history keeps the old one."""

    actions = {"GET": Action.COMMENTS_READ_PUBLIC, "PATCH": Action.COMMENTS_EDIT_OWN}
    inputs = {"PATCH": CommentInput}
    outputs = {"GET": CommentOutput, "PATCH": CommentOutput}
    versioned = True
    errors = {"GET": [404], "PATCH": [404, 409]}

    def get(self, request: Request, id: str) -> Response:
        comment = access_comment(self.actor, id)
        return self.answer(self.represent(comment), version=comment["version"])

    def patch(self, request: Request, id: str) -> Response:
        """Corrects one's own comment, within the time that is set for it."""
        wanted = self.validated()
        comment = access_comment(self.actor, id)
        expected = expected_version(self, comment["version"], wanted.get("version"))
        edited = edit_comment(self.actor, comment["_id"], str(wanted.get("body", comment["body"])), expected)
        return self.answer(self.represent(edited), version=edited["version"])
