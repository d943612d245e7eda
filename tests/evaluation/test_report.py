"""Verdicts are computed, and what was not measured this time does not vanish."""

from __future__ import annotations

from pathlib import Path

import pytest

from latent_edit.evaluation.comparison import PAIRED, TEST_SET
from latent_edit.evaluation.controls import DEFAULT
from latent_edit.evaluation.report import (
    AXES,
    OLD,
    Measured,
    Report,
    merge,
    read_data,
    write_data,
    write_section,
)
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
    text = Report(merged, {"voice": "b" * 64}).results(["a note"], {"default": "what it is"})
    (old,) = [line for line in text.splitlines() if line.startswith("| words")]
    (new,) = [line for line in text.splitlines() if line.startswith("| style")]
    assert OLD in old and "aim reached" in old
    assert OLD not in new and "**missed**" in new
    assert "- a note" in text and "- *default*: what it is." in text


def systems_rows(suffix: str = "") -> list[Row]:
    value, paired = Estimate(0.5, 0.4, 0.6), Estimate(-0.25, -0.3, -0.2)
    rows = [Row(what + suffix, of, value, "percent") for what in AXES for of in (DEFAULT, "bridge alone")]
    return [*rows, Row(AXES[0] + suffix + PAIRED, "bridge alone", paired, "points")]


def test_systems_are_lines_and_figures_are_columns() -> None:
    report = Report([Measured(item, {}) for item in systems_rows()], {})
    table = report.pivot(AXES, "system", "development").splitlines()
    assert table[0] == f"| system | {' | '.join(AXES)} |"
    assert table[2] == f"| {DEFAULT} |" + " 50.0 % (40.0 % to 60.0 %) |" * 3
    paired = "<br>*-25.0 points (-30.0 points to -20.0 points)*"
    assert table[3].startswith(f"| bridge alone | 50.0 % (40.0 % to 60.0 %){paired} |")


def test_the_test_set_comes_first_and_makes_the_headlines() -> None:
    report = Report([Measured(item, {}) for item in [*systems_rows(), *systems_rows(TEST_SET)]], {})
    text = report.results([], {})
    assert text.index("Axes (test set)") < text.index("Axes (development set)")
    assert "Axes (test set)" in report.headlines() and "development" not in report.headlines()


def test_rows_survive_the_file(tmp_path: Path) -> None:
    rows = [row(0.01, beside="x"), Row("curve", "b", Estimate(1.0, 0.5, 2.0), "times")]
    write_data(tmp_path / "data.json", [Measured(item, {"voice": "a"}) for item in rows])
    assert [item.row for item in read_data(tmp_path / "data.json")] == rows


def test_the_rest_of_the_page_stays(tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    begin, end = "<!-- evaluate: begin -->", "<!-- evaluate: end -->"
    path.write_text(f"# Mine\n\n{begin}\nold\n{end}\n\nafter\n", encoding="utf-8")
    write_section(path, "new")
    mine = f"# Mine\n\n{begin}\nnew\n{end}\n\nafter\n"
    assert path.read_text(encoding="utf-8") == mine
    for text in ("first", "second"):
        write_section(path, text, "other")
        other = f"\n<!-- other: begin -->\n{text}\n<!-- other: end -->\n"
        assert path.read_text(encoding="utf-8") == mine + other
