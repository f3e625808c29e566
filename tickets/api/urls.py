"""The addresses below /api/v1/ of tickets and what belongs to them. ``{reference}`` is a ticket's id or number."""

from django.urls import path

from tickets.api.comments import CommentDetail, TicketComments
from tickets.api.events import TicketEvents
from tickets.api.tickets import TicketDetail, TicketFollow, TicketList

urlpatterns = [
    path("tickets", TicketList.as_view(), name="api-tickets"),
    path("tickets/<str:reference>", TicketDetail.as_view(), name="api-ticket"),
    path("tickets/<str:reference>/follow", TicketFollow.as_view(), name="api-ticket-follow"),
    path("tickets/<str:reference>/comments", TicketComments.as_view(), name="api-ticket-comments"),
    path("tickets/<str:reference>/events", TicketEvents.as_view(), name="api-ticket-events"),
    path("comments/<str:comment_id>", CommentDetail.as_view(), name="api-comment"),
]
