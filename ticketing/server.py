"""gunicorn's worker, and what it does about clients that send or read slowly, or send half of a request."""

import errno
import select
import socket
import struct
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Any

from gunicorn.glogging import Logger as GunicornLogger
from gunicorn.workers.gthread import TConn, ThreadWorker

from ticketing import env

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]
HEAD_SECONDS = env.integer("REQUEST_HEAD_SECONDS", 10, 1)
BODY_SECONDS = env.integer("REQUEST_BODY_SECONDS", 60, 1)
SLOWEST = 64 * 1024  # bytes a second: a file takes its time on a thin line
LINGER_MILLISECONDS = 2  # with a connection that has been answered
STEP_SECONDS, MOST_STEPS = 0.0002, 10  # of standing back from a new connection, for each request in hand


class Logger(GunicornLogger):  # type: ignore[misc] # gunicorn has no types
    """Without gunicorn's line for each request, which it makes up for any logging configuration: ours tells more."""

    access_log_enabled = False


class Worker(ThreadWorker):  # type: ignore[misc] # gunicorn has no types
    """Threads that wait for a request no longer than its head and its body may take.

    Of gunicorn's own time-outs none begins before the request is whole, so that as many clients as there are threads,
    sending a byte now and then, would keep everybody else out. So would those that take nothing of their answers.
    """

    wsgi: Application

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadlines: dict[socket.socket, float] = {}

    def accept(self, listener: Any) -> None:
        """Stands back from a new connection while requests are in hand, so that an idler worker takes it first.

        A connection stays with the worker that took it. Without this one of them often took all that came at once.
        """
        in_hand = self.nr_conns - len(self.keepalived_conns) - len(self.pending_conns)
        time.sleep(max(0, min(in_hand, MOST_STEPS)) * STEP_SECONDS)
        super().accept(listener)

    def handle(self, conn: TConn) -> Any:
        """A connection with something to read: a request's head, then the request, and what follows upon its answer.

        A client that goes on at once is served by the same thread, while nobody waits for one: to hand the connection
        back and take it again is otherwise a third of what a small answer costs.
        """
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", BODY_SECONDS, 0))
        while True:
            self._deadlines[conn.sock] = time.monotonic() + HEAD_SECONDS
            try:
                goes_on = super().handle(conn)
            finally:
                self._deadlines.pop(conn.sock, None)
            if goes_on is not True or not self._follows(conn):
                return goes_on

    def _follows(self, conn: TConn) -> bool:
        """Whether the next request arrives within a moment, and no other one waits for a thread."""
        if not self.alive or not self.tpool._work_queue.empty():
            return False
        if conn.parser.unreader.buf.getvalue():  # it came with the last one
            return True
        poll = select.poll()
        poll.register(conn.sock, select.POLLIN)
        return bool(poll.poll(LINGER_MILLISECONDS))

    def handle_request(self, req: Any, conn: TConn) -> Any:
        """The head has been read; the platform reads the body."""
        self._deadlines[conn.sock] = time.monotonic() + BODY_SECONDS
        try:
            return super().handle_request(req, conn)
        except BlockingIOError as error:  # the socket's time-out; gunicorn knows what to do when a client hangs up
            raise ConnectionResetError(errno.ECONNRESET, "the client takes nothing of its answer") from error

    def has_arrived(self, sock: socket.socket, amount: int) -> None:
        """So many bytes of a body have been read: the rest has the time longer that they may have taken."""
        if sock in self._deadlines:
            self._deadlines[sock] += amount / SLOWEST

    def murder_pending(self) -> None:
        """Called every second: whoever has not sent all in time is read no further, as though they had hung up.

        A request that is whole by then, and still being answered, does not notice.
        """
        super().murder_pending()
        now = time.monotonic()
        for sock, deadline in list(self._deadlines.items()):
            if now > deadline:
                with suppress(OSError):  # it is gone already
                    sock.shutdown(socket.SHUT_RD)

    def load_wsgi(self) -> None:
        """The platform is never given less of a body than Content-Length says."""
        super().load_wsgi()
        self.wsgi = with_whole_bodies(self.wsgi, self.has_arrived)


def with_whole_bodies(application: Application, has_arrived: Callable[[socket.socket, int], None]) -> Application:
    """``has_arrived`` is told what has been read of the bodies, and from which socket."""

    def answer(request: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        announced = request.get("CONTENT_LENGTH") or ""
        if announced.isdecimal() and len(announced) <= 18:  # what is longer is refused unread
            tell = partial(has_arrived, request["gunicorn.socket"])
            request["wsgi.input"] = WholeBody(request["wsgi.input"], int(announced), tell)
        return application(request, start_response)

    return answer


class WholeBody:
    """A body (``wsgi.input``) whose reading raises ConnectionError when it ends before the bytes that were announced.

    Such a message is incomplete (RFC 9112, section 8): half an answer is not what somebody wrote.
    """

    def __init__(self, stream: Any, announced: int, has_arrived: Callable[[int], None]) -> None:
        self._stream, self._left, self._has_arrived = stream, announced, has_arrived

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        data: bytes = self._stream.read(wanted)
        self._count(data)
        if len(data) < wanted:
            raise ConnectionError("the body has ended early")
        return data

    def readline(self, size: int = -1) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        data: bytes = self._stream.readline(wanted)
        self._count(data)
        if wanted and not data:
            raise ConnectionError("the body has ended early")
        return data

    def _count(self, data: bytes) -> None:
        self._left -= len(data)
        self._has_arrived(len(data))
