"""The container engine of this machine: docker when its daemon answers, else podman. Their command lines agree."""

import os
import resource
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
PYTHON_IMAGE = "python:3.11-slim-bookworm"
TARGETS = ("server", "worker", "lambda")


@cache
def find_engine() -> str:
    """`docker` or `podman`; ends the program when there is neither."""
    if shutil.which("docker") and subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0:
        return "docker"
    if shutil.which("podman"):
        os.environ["CONTAINERS_CONF"] = str(_write_configuration())
        return "podman"
    sys.exit("Install docker or podman: no container engine answers on this machine.")


def engine(*arguments: str, check: bool = True, errors: bool = False) -> str:
    """Run the engine; what it prints comes out, with ``errors`` also the other stream.

    Raises CalledProcessError, after showing everything.
    """
    command = [find_engine(), *arguments]
    done = subprocess.run(command, check=False, text=True, cwd=ROOT, capture_output=True)
    if check and done.returncode:
        sys.stderr.write(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
        done.check_returncode()
    return (done.stdout + done.stderr * errors).strip()


def has_image(name: str) -> bool:
    return subprocess.run([find_engine(), "image", "inspect", name], capture_output=True, check=False).returncode == 0


def _write_configuration() -> Path:
    """Lets podman run where there is no systemd, and where limits cannot be raised (a container or a small VM)."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    lines = ["[containers]", f'default_ulimits = ["nofile={files}:{files}", "nproc=4096:4096"]', "[engine]"]
    if not Path("/run/systemd/system").exists():
        lines += ['cgroup_manager = "cgroupfs"', 'events_logger = "file"']
    if shutil.which("runc"):
        lines.append('runtime = "runc"')
    BUILD.mkdir(exist_ok=True)
    path = BUILD / "containers.conf"
    path.write_text("\n".join(lines) + "\n")
    return path
