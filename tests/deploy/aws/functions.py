"""Runs the code bytes that moto stored, each function version in a clean Python process that stays warm."""

import hashlib
import io
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
import uuid
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moto.awslambda.models import LambdaFunction

RUNTIME = Path(__file__).with_name("runtime.py")
INIT_SECONDS = 10  # https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
MAX_PAYLOAD = (
    6 * 1024 * 1024
)  # synchronous, each way: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
WARM = 2  # processes kept at most


@dataclass(frozen=True)
class Result:
    """What an invocation gave: a payload or an error, and the log's tail."""

    payload: str
    failed: bool
    log: bytes


class PayloadTooLarge(Exception):
    """The event is larger than Lambda takes."""


class Functions:
    """The execution environments of an account; `folder` gets their code and logs."""

    def __init__(self, folder: Path, endpoint: str) -> None:
        self._folder = folder
        self._endpoint = endpoint
        self._warm: dict[str, _Environment] = {}
        self._lock = threading.Lock()
        # A child ends with the thread that started it; this one lives as long as the process.
        self._starter = ThreadPoolExecutor(1)

    def invoke(self, function: LambdaFunction, arn: str, event: str) -> Result:
        """Run the function's code on the event (JSON); one invocation at a time. Raises PayloadTooLarge."""
        if len(event) > MAX_PAYLOAD:
            raise PayloadTooLarge
        with self._lock:
            environment = self._get_environment(function)
            try:
                return environment.invoke(arn, event)
            finally:
                if not environment.is_alive:
                    self._warm = {key: each for key, each in self._warm.items() if each is not environment}

    def stop(self) -> None:
        """End all processes."""
        with self._lock:
            for environment in self._warm.values():
                environment.stop()
            self._warm.clear()
        self._starter.shutdown()

    def _get_environment(self, function: LambdaFunction) -> "_Environment":
        variables = self._variables(function)
        key = hashlib.sha256(json.dumps([function.code_sha_256, variables], sort_keys=True).encode()).hexdigest()
        if key not in self._warm:
            while len(self._warm) >= WARM:
                self._warm.pop(next(iter(self._warm))).stop()
            log = self._folder / "logs" / f"{function.function_name}.log"
            log.parent.mkdir(exist_ok=True)
            task = Path(variables["LAMBDA_TASK_ROOT"])
            if not task.exists():
                zipfile.ZipFile(io.BytesIO(function.code_bytes)).extractall(task)
            self._warm[key] = self._starter.submit(_Environment, variables, log, int(function.timeout)).result()
        return self._warm[key]

    def _variables(self, function: LambdaFunction) -> dict[str, str]:
        """Lambda's own variables, then the function's; the endpoint is the one thing AWS does not set."""
        code = hashlib.sha256(function.code_bytes).hexdigest()[:16]
        return {
            "_HANDLER": str(function.handler),
            "AWS_ACCESS_KEY_ID": "function",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_SESSION_TOKEN": "testing",
            "AWS_REGION": function.region,
            "AWS_DEFAULT_REGION": function.region,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}",
            "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
            "AWS_LAMBDA_FUNCTION_VERSION": str(function.version),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": function.logs_group_name,
            "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/01/[1]0",
            "LAMBDA_TASK_ROOT": str(self._folder / "code" / code),
            "LANG": "en_US.UTF-8",
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "TZ": ":UTC",
            **function.environment_vars,
            "AWS_ENDPOINT_URL": self._endpoint,
        }


class _Environment:
    """One execution environment: a process that is frozen between its invocations, as Lambda's are."""

    def __init__(self, variables: dict[str, str], log: Path, seconds: int) -> None:
        self._log = log
        self._seconds = seconds
        self._fresh = True
        self._name, self._memory = variables["AWS_LAMBDA_FUNCTION_NAME"], variables["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        reader, writer = os.pipe()
        python = str(Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}")
        with log.open("ab") as output:
            # -I: no PYTHON* variables, no user's packages; -S: no site-packages; -B: on Lambda the folder is read-only.
            self._process = subprocess.Popen(
                [python, "-I", "-S", "-B", str(RUNTIME), str(writer)],
                env=variables,
                cwd=variables["LAMBDA_TASK_ROOT"],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                pass_fds=[writer],
                start_new_session=True,
                text=True,
            )
        os.close(writer)
        self._answers = os.fdopen(reader, "rb")

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def invoke(self, arn: str, event: str) -> Result:
        """Thaw, run one event, freeze."""
        begin = self._log.stat().st_size
        identifier, started = str(uuid.uuid4()), time.monotonic()
        self._process.send_signal(signal.SIGCONT)
        head = json.dumps({"id": identifier, "arn": arn, "seconds": self._seconds})
        assert self._process.stdin is not None
        self._process.stdin.write(f'{head[:-1]}, "event": {event}}}\n')
        self._process.stdin.flush()
        answer = self._read(self._seconds + (INIT_SECONDS if self._fresh else 0))
        self._fresh = False
        if len(json.dumps(answer)) > MAX_PAYLOAD:
            answer = _error("Function.ResponseSizeTooLarge", "Response payload size exceeded")
        with self._log.open("ab") as log:
            log.write(self._report(identifier, time.monotonic() - started).encode())
        if self.is_alive:
            self._process.send_signal(signal.SIGSTOP)
        with self._log.open("rb") as log:
            log.seek(begin)
            tail = log.read()[-4096:]
        return Result(json.dumps(answer.get("error", answer.get("payload"))), "error" in answer, tail)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        self._answers.close()
        if self._process.stdin is not None:
            self._process.stdin.close()

    def _read(self, seconds: float) -> dict[str, Any]:
        """The next answer; a process that gives none in time, or ends, is an error as on Lambda."""
        ready, _, _ = select.select([self._answers], [], [], seconds)
        if line := self._answers.readline() if ready else b"":
            answer: dict[str, Any] = json.loads(line)
            return answer
        self.stop()
        if ready:
            return _error("Runtime.ExitError", "Runtime exited")
        return _error("Sandbox.Timedout", f"Task timed out after {seconds} seconds")

    def _report(self, identifier: str, seconds: float) -> str:
        """The line that Lambda logs after each invocation."""
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text()
            peak = next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM"))
        except (OSError, StopIteration):
            peak = 0
        return (
            f"REPORT RequestId: {identifier}\tDuration: {1000 * seconds:.2f} ms\t"
            f"Memory Size: {self._memory} MB\tMax Memory Used: {peak} MB\n"
        )


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"error": {"errorType": kind, "errorMessage": message}}
