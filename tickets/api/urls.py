"""The addresses below /api/v1/ of tickets and what belongs to them. ``{id}`` of a ticket is its id or number."""

from django.urls import path

from tickets.api.attachments import AttachmentsView, AttachmentView
from tickets.api.comments import CommentsView, CommentView
from tickets.api.events import EventsView
from tickets.api.stats import StatsView
from tickets.api.tickets import FollowView, TicketsView, TicketView
from tickets.api.uploads import UploadsView, UploadView

urlpatterns = [
    path("tickets", TicketsView.as_view(), name="tickets"),
    path("tickets/stats", StatsView.as_view(), name="ticket-stats"),
    path("tickets/<str:id>", TicketView.as_view(), name="ticket"),
    path("tickets/<str:id>/follow", FollowView.as_view(), name="ticket-follow"),
    path("tickets/<str:id>/comments", CommentsView.as_view(), name="ticket-comments"),
    path("tickets/<str:id>/attachments", AttachmentsView.as_view(), name="ticket-attachments"),
    path("tickets/<str:id>/uploads", UploadsView.as_view(), name="ticket-uploads"),
    path("tickets/<str:id>/events", EventsView.as_view(), name="ticket-events"),
    path("attachments/<str:id>", AttachmentView.as_view(), name="attachment"),
    path("uploads/<str:id>", UploadView.as_view(), name="upload"),
    path("comments/<str:id>", CommentView.as_view(), name="comment"),
]
