"""Child processes that end with their parent, however it ends, and ports for them to listen on."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import IO

PR_SET_PDEATHSIG = 1


def start_child(
    command: Sequence[str], env: dict[str, str] | None = None, output: IO[bytes] | None = None
) -> subprocess.Popen[bytes]:
    """Start a child that ends when the calling thread does (Linux: even when the parent is SIGKILLed).

    It gets a session of its own, so that the terminal's Ctrl-C reaches only the parent, which stops it in order.
    """
    return subprocess.Popen(
        command,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        preexec_fn=_end_with_parent(),  # noqa: PLW1509 - one system call, no lock that a thread could hold
    )


def stop_child(process: subprocess.Popen[bytes], how: signal.Signals, seconds: float) -> None:
    """Ask the child to end with the signal, kill it when it has not after so many seconds."""
    if process.poll() is None:
        process.send_signal(how)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    """One of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _end_with_parent() -> Callable[[], None] | None:
    """What the child runs before exec so that the kernel ends it when its parent is gone (prctl(2), Linux only)."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl  # loaded before the fork: the child must not import
    parent = os.getpid()

    def in_child() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before the call above
            os._exit(1)

    return in_child
