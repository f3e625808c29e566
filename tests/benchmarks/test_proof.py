"""The page of proof, from what the proofs leave."""

import json
from pathlib import Path

import pytest

from benchmarks import proof, results
from benchmarks.results import Figure, at_least, at_most, missed, write_results


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(results, "FOLDER", tmp_path / "proof")
    return tmp_path / "proof"


def test_figures_know_whether_they_reach_their_target() -> None:
    figures = [
        at_most("S", "growth", 1.5, 1.5, " ×"),
        at_least("S", "rate", 999, 1000, " rows/s"),
        Figure("S", "p95", "1"),
    ]

    assert [figure.met for figure in figures] == [True, False, None]
    assert [figure.what for figure in missed(figures)] == ["rate"]
    assert (figures[1].value, figures[1].target) == ("999 rows/s", "≥ 1,000 rows/s")


def test_results_say_what_they_hold_for(folder: Path) -> None:
    path = write_results("faults", "Faults", "make faults", [Figure("S", "lost", "0", "0", True, "counted")])

    stored = json.loads(path.read_text())
    assert (path.parent, stored["name"], stored["command"]) == (folder, "faults", "make faults")
    assert stored["figures"] == [
        {"section": "S", "what": "lost", "value": "0", "target": "0", "met": True, "how": "counted"}
    ]
    assert {"cpu", "cpus", "memory", "system"} == stored["machine"].keys()
    assert all(stored["versions"].values())


def test_the_page_has_every_figure_and_shows_what_was_missed(folder: Path) -> None:
    write_results("zeal", "Another", "make zeal", [Figure("S", "left | right", "2", how="two\nlines")])
    write_results(
        "fuzz",
        "Fuzzing",
        "make fuzz",
        [Figure("A", "cases", "9", "≥ 20,000", False), Figure("B", "5xx", "0", "0", True)],
    )

    page = proof.page_of([json.loads(path.read_text()) for path in sorted(folder.glob("*.json"), reverse=True)])

    assert page.index("## Fuzzing") < page.index("## Another") < page.index("## Machine and versions")
    assert "1 of 2 targets met, **1 MISSED**" in page
    assert "| cases | 9 | ≥ 20,000 | **MISSED** |  |" in page
    assert "| 5xx | 0 | 0 | met |  |" in page
    assert "| left \\| right | 2 |  |  | two lines |" in page
    assert page.count("| `make ") == 2
    [missing] = [line for line in page.splitlines() if line.startswith("No figures on this page yet")]
    assert "`make faults`" in missing
    assert "`make fuzz`" not in missing


def test_the_committed_page_is_what_the_committed_results_give() -> None:
    committed = [json.loads(path.read_text()) for path in sorted(results.FOLDER.glob("*.json"))]

    assert proof.PAGE.read_text() == proof.page_of(committed), "run `make proof-page`"
