"""The addresses below /api/v1/ of tickets and what belongs to them. ``{id}`` of a ticket is its id or number."""

from django.urls import path

from tickets.api.attachments import AttachmentsView, AttachmentView
from tickets.api.comments import CommentsView, CommentView
from tickets.api.events import EventsView
from tickets.api.exports import ExportDownloadView, ExportsView, ExportView
from tickets.api.merging import MergeView, RelatedTicketsView, RelatedTicketView, SplitView, UnmergeView
from tickets.api.privacy import (
    EraseUserView,
    ErasuresView,
    ErasureView,
    HoldsView,
    HoldView,
    LiftHoldView,
    RetentionPreviewView,
    RetentionView,
)
from tickets.api.stats import StatsView
from tickets.api.tickets import FollowView, TicketsView, TicketView
from tickets.api.uploads import UploadsView, UploadView

urlpatterns = [
    path("tickets", TicketsView.as_view(), name="tickets"),
    path("tickets/stats", StatsView.as_view(), name="ticket-stats"),
    path("tickets/<str:id>", TicketView.as_view(), name="ticket"),
    path("tickets/<str:id>/follow", FollowView.as_view(), name="ticket-follow"),
    path("tickets/<str:id>/merge", MergeView.as_view(), name="ticket-merge"),
    path("tickets/<str:id>/unmerge", UnmergeView.as_view(), name="ticket-unmerge"),
    path("tickets/<str:id>/related", RelatedTicketsView.as_view(), name="ticket-related"),
    path("tickets/<str:id>/related/<str:other>", RelatedTicketView.as_view(), name="ticket-related-one"),
    path("tickets/<str:id>/comments", CommentsView.as_view(), name="ticket-comments"),
    path("tickets/<str:id>/attachments", AttachmentsView.as_view(), name="ticket-attachments"),
    path("tickets/<str:id>/uploads", UploadsView.as_view(), name="ticket-uploads"),
    path("tickets/<str:id>/events", EventsView.as_view(), name="ticket-events"),
    path("attachments/<str:id>", AttachmentView.as_view(), name="attachment"),
    path("uploads/<str:id>", UploadView.as_view(), name="upload"),
    path("comments/<str:id>", CommentView.as_view(), name="comment"),
    path("comments/<str:id>/split", SplitView.as_view(), name="comment-split"),
    path("exports", ExportsView.as_view(), name="exports"),
    path("exports/<str:id>", ExportView.as_view(), name="export"),
    path("exports/<str:id>/download", ExportDownloadView.as_view(), name="export-download"),
    path("users/<str:id>/erase", EraseUserView.as_view(), name="user-erase"),
    path("erasures", ErasuresView.as_view(), name="erasures"),
    path("erasures/<str:id>", ErasureView.as_view(), name="erasure"),
    path("holds", HoldsView.as_view(), name="holds"),
    path("holds/<str:id>", HoldView.as_view(), name="hold"),
    path("holds/<str:id>/lift", LiftHoldView.as_view(), name="hold-lift"),
    path("retention", RetentionView.as_view(), name="retention"),
    path("retention/preview", RetentionPreviewView.as_view(), name="retention-preview"),
]
