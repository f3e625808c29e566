"""The web server's settings, for `gunicorn --config python:ticketing.gunicorn`; they are read before Django is set up.

https://docs.gunicorn.org/en/stable/settings.html explains each of the names.
"""

import ctypes
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from ticketing import env
from ticketing.logs import console_of_logs

_METRICS_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
_M_ARENA_MAX, _ARENAS = -8, 2  # mallopt(3)
_SHARED_MEMORY = "/dev/shm"  # nosec B108 # noqa: S108 - the heartbeat's file must not wait for a disk

wsgi_app = "ticketing.wsgi:application"
chdir = str(Path(__file__).resolve().parent.parent)
bind = f"{env.text('HOST', '127.0.0.1')}:{env.integer('PORT', 8000, 1)}"
workers = env.integer("WEB_CONCURRENCY", 2, 1)
worker_class = "ticketing.server.Worker"
threads = env.integer("WEB_THREADS", 8, 1)
graceful_timeout = env.integer("GRACEFUL_SECONDS", 25, 1)
keepalive = 75  # longer than the idle time-out of load balancers (60 s), so that it is they who hang up
worker_tmp_dir = _SHARED_MEMORY if os.access(_SHARED_MEMORY, os.W_OK) else None
sendfile = False  # Python's waits for a client that takes nothing, whatever time-out the socket has
control_socket_disable = True
logger_class = "ticketing.server.Logger"
logconfig_dict = console_of_logs() | {
    "loggers": {"gunicorn.error": {"handlers": ["console"], "propagate": False}},
    "root": {"handlers": []},
}


def on_starting(_server: Any) -> None:
    """The directory in which the workers' metrics meet; they inherit its name. Nothing of an earlier run stays."""
    _share_arenas()
    directory = os.environ.get(_METRICS_DIRECTORY) or tempfile.mkdtemp(prefix="ticketing-metrics-")
    os.environ[_METRICS_DIRECTORY] = directory
    Path(directory).mkdir(parents=True, exist_ok=True)
    _forget_metrics(directory)


def child_exit(_server: Any, worker: Any) -> None:
    """Forgets what only a living worker can report; what a dead one has counted stays counted."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(_server: Any) -> None:
    directory = os.environ[_METRICS_DIRECTORY]
    _forget_metrics(directory)
    with suppress(OSError):  # it is a mounted volume, or has other things in it
        Path(directory).rmdir()


def _share_arenas() -> None:
    """A worker's threads share two of glibc's arenas: one for each of them keeps 12 MiB more, most of it unused."""
    with suppress(AttributeError):  # another libc
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)


def _forget_metrics(directory: str) -> None:
    for file in Path(directory).glob("*.db"):
        file.unlink(missing_ok=True)
