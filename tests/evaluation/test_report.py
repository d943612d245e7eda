"""Verdicts are computed, and what was not measured this time does not vanish."""

from __future__ import annotations

from pathlib import Path

import pytest

from latent_edit.evaluation.report import BEGIN, END, Measured, merge, read_data, section, write_data, write_section
from latent_edit.evaluation.rows import Goal, Row
from latent_edit.evaluation.statistics import Estimate

LOW_WER = Goal("≤ 5 points", 0.05), Goal("≤ 2 points", 0.02)


def row(value: float | None, what: str = "words", of: str = "anna", **fields: object) -> Row:
    estimate = Estimate(value, None, None) if value is None else Estimate(value, value - 0.01, value + 0.01)
    return Row(what, of, estimate, "points", *LOW_WER, **fields)


@pytest.mark.parametrize(
    ("value", "verdict"), [(0.01, "aim reached"), (0.05, "holds"), (0.051, "**missed**"), (None, "not measured")]
)
def test_the_verdict_follows_from_the_value(value: float | None, verdict: str) -> None:
    assert row(value).verdict == verdict
    assert row(value).cells()[6] == verdict


def test_a_gate_can_be_on_a_bound() -> None:
    estimate = Estimate(0.04, -0.01, 0.06)
    assert Goal("upper", 0.05, of="high").met(estimate) is False
    assert Goal("value", 0.05).met(estimate) is True
    assert Goal("above 0", 0.0, at_least=True, of="low").met(estimate) is False


def test_earlier_rows_stay_with_their_weights(tmp_path: Path) -> None:
    path = tmp_path / "evaluation.json"
    assert read_data(path) == []
    write_data(path, merge([row(0.01), row(0.03, what="style")], {"voice": "a" * 64}, []))
    merged = merge([row(0.9, what="style", of="ben")], {"voice": "b" * 64}, read_data(path))
    assert [(item.row.what, item.row.of, item.hashes["voice"][0]) for item in merged] == [
        ("style", "ben", "b"),
        ("words", "anna", "a"),
    ]
    text = section(merged, {"voice": "b" * 64}, ["a note"], "| table |")
    (old,) = [line for line in text.splitlines() if line.startswith("| words")]
    (new,) = [line for line in text.splitlines() if line.startswith("| style")]
    assert "measured earlier, with voice `aaaaaaaa`" in old and "aim reached" in old
    assert "earlier" not in new and "**missed**" in new
    assert "### Gates: 1 of 2 hold" in text


def test_rows_survive_the_file(tmp_path: Path) -> None:
    rows = [row(0.01, beside="x"), Row("curve", "b", Estimate(1.0, 0.5, 2.0), "times")]
    write_data(tmp_path / "data.json", [Measured(item, {"voice": "a"}) for item in rows])
    assert [item.row for item in read_data(tmp_path / "data.json")] == rows


def test_the_rest_of_the_page_stays(tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text(f"# Mine\n\n{BEGIN}\nold\n{END}\n\nafter\n", encoding="utf-8")
    write_section(path, "new")
    assert path.read_text(encoding="utf-8") == f"# Mine\n\n{BEGIN}\nnew\n{END}\n\nafter\n"
