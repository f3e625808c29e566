"""An export holds everything of its own tenant and nothing of another."""

from pathlib import Path

import pytest
from django.core.management import call_command

from tests.isolation.world import World

pytestmark = pytest.mark.django_db


def test_an_export_holds_nothing_of_another_tenant(world: World, tmp_path: Path) -> None:
    call_command("export_tenant", "acme", to=tmp_path / "acme")
    files = [path for path in (tmp_path / "acme").rglob("*") if path.is_file()]
    texts = {path: f"{path.name}\n{path.read_bytes().decode(errors='replace')}" for path in files}
    assert {path.name for path, text in texts.items() if world.secrets.search(text)} == set()
    whole = "\n".join(texts.values())
    for name in ("ticket", "comment", "note", "attachment", "internal_attachment", "team", "customer", "key", "word"):
        assert getattr(world.own, name) in whole, f"the export lacks the {name}"
