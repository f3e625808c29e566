"""The tokens' signature while its key is being replaced."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from django.conf import settings
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError
from rest_framework_simplejwt.tokens import Token


class RotatingBackend(TokenBackend):
    """Signs with one key, and takes what was signed with it or with a former one."""

    def __init__(self, signing_key: str, former_keys: Sequence[str]) -> None:
        how: dict[str, Any] = {"algorithm": settings.SIMPLE_JWT["ALGORITHM"], "issuer": settings.SIMPLE_JWT["ISSUER"]}
        super().__init__(signing_key=signing_key, **how)
        self._former = [TokenBackend(signing_key=key, **how) for key in former_keys]

    def decode(self, token: Token, verify: bool = True) -> dict[str, Any]:
        """The token's claims. Raises TokenBackendError as the present key tells it."""
        try:
            return super().decode(token, verify)
        except TokenBackendError:
            for former in self._former:
                with suppress(TokenBackendError):
                    return former.decode(token, verify)
            raise
