"""/api-keys: the secrets of integrations."""

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import access_api_key, count_accounts, page_of_accounts, visible_api_keys
from accounts.api import serializers as s
from accounts.api.filters import ApiKeyFilters
from accounts.keys import create_api_key, revoke_api_key
from accounts.models import ApiKey
from accounts.roles import Action
from ticketing.api.pagination import COUNT_CAP, page_request, wants_count
from ticketing.api.views import ApiView


class ApiKeysView(ApiView):
    """The API keys of the tenant, newest first, and new ones. A key's secret is shown in the answer to POST only."""

    tag = "api-keys"
    actions = {"GET": Action.API_KEYS_MANAGE, "POST": Action.API_KEYS_MANAGE}
    inputs = {"POST": s.NewApiKeyInput}
    outputs = {"GET": s.ApiKeyOutput, "POST": s.NewApiKeyOutput}
    filters = ApiKeyFilters
    paginated = True
    secret_response = True

    def get(self, request: Request) -> Response:
        filters = self.filtered(ApiKeyFilters, visible_api_keys(self.actor))
        page = page_of_accounts(self.actor, filters.qs, filters.sort, page_request(request))
        count = count_accounts(self.actor, filters.qs, cap=COUNT_CAP + 1) if wants_count(request) else None
        return self.page(page, [s.show_api_key(ApiKey.from_document(row)) for row in page.rows], count)

    def post(self, request: Request) -> Response:
        """Creates an API key; its secret is in this answer and never again."""
        key, secret = create_api_key(self.actor, **self.validated())
        return self.created({**s.show_api_key(key), "key": secret}, f"{request.path}/{key.pk}")


class ApiKeyView(ApiView):
    """One API key."""

    tag = "api-keys"
    actions = {"GET": Action.API_KEYS_MANAGE, "DELETE": Action.API_KEYS_MANAGE}
    outputs = {"GET": s.ApiKeyOutput}
    errors = {"GET": [404], "DELETE": [404]}

    def get(self, request: Request, id: str) -> Response:
        return self.answer(s.show_api_key(access_api_key(self.actor, id)))

    def delete(self, request: Request, id: str) -> Response:
        """Revokes: the key stops at once and stays in the list."""
        revoke_api_key(self.actor, access_api_key(self.actor, id).pk)
        return Response(status=204)
