"""The function in a process of its own, run by what stands in for Lambda's runtime."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.deploy.aws import runtime

ROOT = Path(__file__).resolve().parents[3]
Event = dict[str, Any]


class Function:
    """Answers events one after the other. Its process starts with the first."""

    def __init__(self, process: "subprocess.Popen[str]", answers: Iterator[str]) -> None:
        self.process = process
        self._answers = answers

    def answer(self, event: Event, seconds: int = 30) -> Event:
        """What the runtime sends back: ``payload``, or ``error`` with a type and a message."""
        assert self.process.stdin is not None
        arn = "arn:aws:lambda:eu-central-1:123456789012:function:ticketing-test"
        print(
            json.dumps({"id": "1", "arn": arn, "seconds": seconds, "event": event}), file=self.process.stdin, flush=True
        )
        answered: Event = json.loads(next(self._answers))
        return answered

    def payload(self, event: Event, seconds: int = 30) -> Event:
        answered = self.answer(event, seconds)
        assert "error" not in answered, answered
        payload: Event = answered["payload"]
        return payload


@contextmanager
def started(handler: str = "ticketing.aws.handler.handler", **environment: str) -> Iterator[Function]:
    """A function whose environment is what Lambda gives, and ``environment``."""
    given = {
        "_HANDLER": handler,
        "LAMBDA_TASK_ROOT": str(ROOT),
        "AWS_LAMBDA_FUNCTION_NAME": "ticketing-test",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/ticketing-test",
        "AWS_LAMBDA_LOG_STREAM_NAME": "test",
        "AWS_REGION": "eu-central-1",
        "PATH": os.environ["PATH"],
        **environment,
    }
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, runtime.__file__, str(writing)],
        stdin=subprocess.PIPE,
        text=True,
        env={name: value for name, value in given.items() if value},
        pass_fds=[writing],
    )
    os.close(writing)
    try:
        with os.fdopen(reading, encoding="utf-8") as answers:
            yield Function(process, answers)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(20)
