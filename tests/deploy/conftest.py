"""AWS in memory, and no way to the real one."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from tests.deploy.templates import REGION

collect_ignore = ["test_deployment.py", "test_upgrade.py"]  # gates of their own, in the Makefile


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty account."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws():
        yield
