"""What is different on Lambda, put into the environment before the settings read it."""

import os
from pathlib import Path

from ticketing.aws.secrets import load_secrets

TASK_ROOT = Path(__file__).resolve().parent.parent.parent


def prepare() -> None:
    """Fill in the environment of this process. Raises SecretMissing."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ticketing.settings")
    os.environ.setdefault("STATIC_ROOT", str(TASK_ROOT / "static"))
    os.environ.setdefault("DATA_DIR", "/tmp/ticketing")  # noqa: S108 - the one writable folder, the function's own
    # The handler takes the client's address from the gateway's context, so there is no header to believe.
    os.environ["TRUSTED_PROXIES"] = "0"
    load_secrets(os.environ)
