"""A container as production runs one: read-only root, unprivileged, no capabilities, little memory."""

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from deploy.image.engine import engine, find_engine

MEMORY_MIB = 512
HARDENED = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "all", "--security-opt", "no-new-privileges")


class Container:
    """Runs from entering the block to its end. It shares the machine's network, where the trial's MongoDB listens."""

    def __init__(
        self, image: str, *command: str, environment: Mapping[str, str], options: tuple[str, ...] = ()
    ) -> None:
        self.name = f"ticketing-check-{image.rpartition(':')[2]}-{time.monotonic_ns()}"
        self._arguments = ["--name", self.name, "--network", "host", "--memory", f"{MEMORY_MIB}m", *HARDENED, *options]
        if find_engine() == "podman":
            self._arguments += ["--no-healthcheck"]  # its timers need systemd; the check runs the command by itself
        for key, value in environment.items():
            self._arguments += ["--env", f"{key}={value}"]
        self._arguments += [image, *command]

    def __enter__(self) -> Self:
        engine("run", "--detach", *self._arguments)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if kind is not None:
            print(self.logs())
        engine("rm", "--force", "--volumes", self.name, check=False)

    def run(self) -> int:
        """Run to the end; the exit code comes out."""
        with self:
            code = self.wait()
            print(self.logs() if code else "", end="")
            return code

    def execute(self, *command: str) -> str:
        """What a command in the container prints; empty when it fails."""
        return engine("exec", self.name, *command, check=False)

    def signal(self, name: str) -> None:
        engine("kill", "--signal", name, self.name)

    def wait(self) -> int:
        """The exit code, once it has ended."""
        return int(engine("wait", self.name))

    def logs(self) -> str:
        return engine("logs", self.name, check=False, errors=True)
