"""The development server's data folder, and the environment it gives to `manage.py` before Django starts."""

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent


def data_folder() -> Path:
    """Where `make run` keeps everything: DATA_DIR, by default `.data` beside manage.py."""
    return Path(os.environ.get("DATA_DIR") or BASE_DIR / ".data").absolute()


def prepare_environment(serving: bool) -> None:
    """Fill in what the environment leaves open from the data folder; nothing happens where there is none.

    Serving creates the folder and its secret key. Every other command gets the key and, while a server runs,
    its MongoDB, so that `manage.py import_tickets` works beside `make run`. Raises ImproperlyConfigured when serving
    cannot write to the folder.
    """
    folder = data_folder()
    if serving:
        _make_writable(folder)
        _create_secret(folder / "secret_key")
        os.environ.setdefault("LOG_FORMAT", "line")  # a person is looking, and wants to see what is wrong only
        os.environ.setdefault("LOG_LEVEL", "WARNING")
    _default_from(folder / "secret_key", "SECRET_KEY")
    if not serving:
        _default_from(folder / "mongodb_uri", "MONGODB_URI")


@contextmanager
def announced_database(uri: str) -> Iterator[None]:
    """Tell other commands about the running server's MongoDB for as long as the block lasts."""
    announcement = data_folder() / "mongodb_uri"
    _write_private(announcement, uri)
    try:
        yield
    finally:
        announcement.unlink(missing_ok=True)


def _make_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        problem = f"the data folder {folder} cannot be written ({error.strerror})"
        raise ImproperlyConfigured(f"Cannot serve: {problem}; name another one: DATA_DIR=/path make run") from None


def _create_secret(path: Path) -> None:
    if "SECRET_KEY" not in os.environ and not path.exists():
        _write_private(path, secrets.token_urlsafe(50))


def _default_from(path: Path, name: str) -> None:
    if name not in os.environ and path.exists():
        os.environ[name] = path.read_text().strip()


def _write_private(path: Path, text: str) -> None:
    with open(path, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(text + "\n")
