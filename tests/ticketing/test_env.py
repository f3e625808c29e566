"""Settings from the environment: values, and files that hold them."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from ticketing import env


def test_a_text_may_stand_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("from the file\n")
    monkeypatch.setenv("TRIAL_KEY_FILE", str(tmp_path / "key"))
    assert env.text("TRIAL_KEY") == "from the file"
    monkeypatch.setenv("TRIAL_KEY", "from the variable")
    assert env.text("TRIAL_KEY") == "from the variable"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAL_KEY_FILE", str(tmp_path / "missing"))
    with pytest.raises(ImproperlyConfigured, match=r"TRIAL_KEY_FILE: .*missing cannot be read"):
        env.text("TRIAL_KEY", "a default")


def test_what_is_required_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImproperlyConfigured, match="TRIAL_KEY"):
        env.text("TRIAL_KEY")
