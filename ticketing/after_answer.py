"""Work that can wait until the client has his answer."""

import threading
from collections.abc import Callable
from typing import Any

from django.core.signals import request_finished

from ticketing.logs import current_request

Work = Callable[[], None]


class _PutOff(threading.local):
    """What the request of this thread has put off."""

    def __init__(self) -> None:
        self.works: list[Work] = []


_put_off = _PutOff()


def after_answer(work: Work) -> None:
    """Does the work once the request under way is answered, outside of its scope; at once where there is no request.

    The work must not raise. Whatever it is for must come about without it, too: a process that ends forgets it.
    """
    if current_request.get() is None:
        work()
    else:
        _put_off.works.append(work)


def _answered(**_signal: Any) -> None:
    works, _put_off.works = _put_off.works, []
    for work in works:
        work()


# The answer is sent when the signal comes: with a server of threads nobody waits.
request_finished.connect(_answered, dispatch_uid="ticketing.after_answer")
