"""Who may call: fails closed, because a view has to say which action each of its methods needs."""

from typing import TYPE_CHECKING, Any, Protocol, cast

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from ticketing.errors import NotAllowed, NotAuthenticated
from ticketing.mongo import ObjectId

if TYPE_CHECKING:  # DRF's views import this module by its name in the settings
    from rest_framework.views import APIView


class Principal(Protocol):
    """What ``request.auth`` must offer: the tenant, who acts, and what he may do."""

    @property
    def tenant(self) -> Any: ...

    @property
    def tenant_id(self) -> ObjectId: ...

    @property
    def user_id(self) -> ObjectId | None: ...

    @property
    def key_id(self) -> ObjectId | None: ...

    def can(self, action: Any) -> bool: ...

    def check(self, action: Any) -> None: ...


class SignedIn(BasePermission):
    """Lets a signed-in principal do what the view's ``actions`` table says the method needs; public views let all in.

    Raises NotAuthenticated, and NotAllowed also for a method that the table forgot. HEAD is read as GET; OPTIONS
    tells the methods only, so it needs no action.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if getattr(view, "public", False):
            return True
        principal: Principal | None = cast(Any, request.auth)
        if principal is None:
            raise NotAuthenticated
        method = "GET" if request.method == "HEAD" else str(request.method)
        if method == "OPTIONS" or method not in view.allowed_methods:
            return True  # the dispatcher answers 405
        action = getattr(view, "actions", {}).get(method)
        if action is None:
            raise NotAllowed
        principal.check(action)
        return True
