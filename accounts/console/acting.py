"""Who acts in a request of the console."""

from django.http import HttpRequest

from accounts.actor import Actor
from accounts.models import User
from accounts.roles import Action


def actor_of(request: HttpRequest) -> Actor:
    """The signed-in person acting for his tenant. Whatever stands behind a permission of the role table has one."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


def is_operator(request: HttpRequest) -> bool:
    """Whether the signed-in person runs the platform."""
    return isinstance(request.user, User) and request.user.can(Action.TENANTS_MANAGE)
