"""What is different on Lambda, put into the environment before the settings read it."""

import os
from pathlib import Path

from ticketing.aws.secrets import load_secrets

TASK_ROOT = Path(__file__).resolve().parent.parent.parent

DEFAULTS = {
    "DJANGO_SETTINGS_MODULE": "ticketing.settings",
    "STATIC_ROOT": str(TASK_ROOT / "static"),
    "DATA_DIR": "/tmp/ticketing",  # nosec B108 # noqa: S108 - the one writable folder, and the function's own
    # A process serves one request at a time, or four jobs and a heartbeat; the gateway gives up after 29 seconds.
    "MONGODB_POOL_SIZE": "5",
    "MONGODB_SELECTION_TIMEOUT_MS": "3000",
    "MONGODB_CONNECT_TIMEOUT_MS": "2000",
    "MONGODB_SOCKET_TIMEOUT_MS": "20000",
}
# The handler takes the client's address from the gateway's context: there is no header to believe.
FORCED = {"TRUSTED_PROXIES": "0"}


def prepare() -> None:
    """Fill in this process's environment; what is set stays, but for what is forced. Raises SecretMissing."""
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    os.environ.update(FORCED)
    load_secrets(os.environ.get("SECRETS", ""), os.environ)
