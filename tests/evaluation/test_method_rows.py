"""Other methods, and the bridge alone, are held against the default on the same readings."""

from __future__ import annotations

from typing import Any

import pytest

from latent_edit.evaluation.clips import Clip, Edited
from latent_edit.evaluation.method_rows import method_rows
from latent_edit.evaluation.plan import BRIDGE_ALONE, QUICK, make_plan
from latent_edit.evaluation.rows import Row
from latent_edit.measures import Measurements


class Bench:
    """Judges who find that the others lose every word and change nothing, and the default the reverse."""

    def ask(self, judge: str, clip: Clip) -> Any:
        assert judge == "heard"
        return "" if _is_other(clip) else clip.text

    def measured(self, clip: Clip) -> Measurements:
        changed = isinstance(clip, Edited) and not _is_other(clip)
        return Measurements(1.0, 120.0, 4.0, 10.0, -40.0 if changed else -20.0, -10.0, 0.8, 5.0, 0.1)


def _is_other(clip: Clip) -> bool:
    return isinstance(clip, Edited) and (clip.request.method == "palette" or not clip.request.landing)


@pytest.fixture(scope="module")
def rows() -> dict[tuple[str, str], Row]:
    plan = make_plan(["anna"], QUICK, None, {}, ["palette"])
    return {(row.what, row.of): row for row in method_rows(Bench(), plan)}  # type: ignore[arg-type]


def test_another_method_is_counted_by_itself(rows: dict[tuple[str, str], Row]) -> None:
    success = rows["other methods, style success", "palette"]
    words = rows["other methods, WER after - before", "palette"]
    # What changes nothing does what one of the twelve presets asks for; 20 dB softer is none of them.
    assert success.estimate.value == pytest.approx(1 / 12) and success.beside == "default 0.0 %"
    assert words.estimate.value == pytest.approx(1.0) and words.beside == "default +0.0 points"


def test_the_bridge_alone_is_counted_on_presets_and_free_prompts(rows: dict[tuple[str, str], Row]) -> None:
    assert rows["other methods, style success", BRIDGE_ALONE].estimate.value == pytest.approx(1 / 12)
    free = rows["other methods, style success of free prompts", BRIDGE_ALONE]
    assert free.estimate.value == 0.0 and free.beside == "default 0.0 %"
    assert len(rows) == 5
