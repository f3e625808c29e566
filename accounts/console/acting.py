"""Who acts in a request of the console."""

from django.http import HttpRequest

from accounts.actor import Actor


def actor_of(request: HttpRequest) -> Actor:
    """The signed-in person acting for his tenant. Whatever stands behind a permission of the role table has one."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor
