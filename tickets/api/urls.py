"""The addresses below /api/v1/ of tickets and what belongs to them. ``{reference}`` is a ticket's id or number."""

from django.urls import path

from tickets.api.comments import CommentsView, CommentView
from tickets.api.events import EventsView
from tickets.api.stats import StatsView
from tickets.api.tickets import FollowView, TicketsView, TicketView

urlpatterns = [
    path("tickets", TicketsView.as_view(), name="tickets"),
    path("tickets/stats", StatsView.as_view(), name="ticket-stats"),
    path("tickets/<str:reference>", TicketView.as_view(), name="ticket"),
    path("tickets/<str:reference>/follow", FollowView.as_view(), name="ticket-follow"),
    path("tickets/<str:reference>/comments", CommentsView.as_view(), name="ticket-comments"),
    path("tickets/<str:reference>/events", EventsView.as_view(), name="ticket-events"),
    path("comments/<str:comment_id>", CommentView.as_view(), name="comment"),
]
