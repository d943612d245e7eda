"""What was asked and what changed: a verdict on each axis, and each attribute before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from latent_edit.wording import measured_rows, outcome_rows

if TYPE_CHECKING:
    from latent_edit.result import EditResult


def measured_value(result: EditResult) -> dict[str, Any]:
    """The rows of both tables and the one verdict, all text, but `alone`, by which an axis is shown less loudly.

    {"rows": [{name, meaning, before, after, change}, ...], "outcomes": [{name, asked, got, verdict, alone}, ...],
    "verdict"}.
    """
    rows, verdict = outcome_rows(result)
    quiet = ("left alone", "not asked for")
    outcomes = [dict[str, Any](row, alone=row["verdict"] in quiet) for row in rows]
    return {"rows": measured_rows(result), "outcomes": outcomes, "verdict": verdict}
