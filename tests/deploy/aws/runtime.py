"""What Lambda's runtime does in a function's process: import the handler once, then answer events, one JSON line each.

It runs with nothing but the standard library and the function's own folder on the path.
"""

import ctypes
import importlib
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

PR_SET_PDEATHSIG = 1


class Context:
    """The second argument of a handler (the attributes of AWS's context object)."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.aws_request_id = request["id"]
        self.invoked_function_arn = request["arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = self.client_context = None
        self._deadline = time.monotonic() + request["seconds"]

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int(1000 * (self._deadline - time.monotonic())))


def main(results: int) -> None:
    """Answer the events on stdin until it ends; each answer is a JSON line on the file descriptor `results`."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # a frozen process would not notice anything else
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    handler: Callable[[Any, Context], Any] | None = None
    with os.fdopen(results, "w", encoding="utf-8") as answers:
        for line in sys.stdin:
            request = json.loads(line)
            try:
                handler = handler or _import_handler()
                answer = {"payload": handler(request["event"], Context(request))}
                text = json.dumps(answer)
            except BaseException as error:  # noqa: BLE001 - Lambda answers for all of them
                traceback.print_exc()
                text = json.dumps({"error": {"errorType": type(error).__name__, "errorMessage": str(error)}})
            print(text, file=answers, flush=True)


def _import_handler() -> Callable[[Any, Context], Any]:
    module, name = os.environ["_HANDLER"].rsplit(".", 1)
    handler: Callable[[Any, Context], Any] = getattr(importlib.import_module(module), name)
    return handler


if __name__ == "__main__":
    main(int(sys.argv[1]))
