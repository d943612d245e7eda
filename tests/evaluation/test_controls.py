"""Other methods, the bridge alone and signal processing are held against the default on the same readings."""

from __future__ import annotations

from typing import Any

import pytest

from latent_edit.config import preset_prompts
from latent_edit.data.styles import Style
from latent_edit.evaluation.clips import Clip, Edit, WorldEdit
from latent_edit.evaluation.controls import method_rows
from latent_edit.evaluation.effects import free_prompts
from latent_edit.evaluation.plan import BRIDGE_ALONE, QUICK, WORLD, make_plan
from latent_edit.evaluation.rows import Row
from latent_edit.measures import Measurements


class Bench:
    """Judges who find that the others lose every word and change nothing, and the default the reverse.

    An edit costs half a point of naturalness and the others a whole one; for palette none is found.
    """

    def score(self, judge: str, clip: Clip) -> Any:
        if judge == "dnsmos":
            if isinstance(clip, Edit) and clip.request.method == "palette":
                return None
            return 2.0 if _is_other(clip) else 2.5 if isinstance(clip, Edit) else 3.0
        assert judge == "pocketsphinx"
        return "" if _is_other(clip) else clip.text

    def measurements(self, clip: Clip) -> Measurements:
        changed = isinstance(clip, Edit) and not _is_other(clip)
        return Measurements(1.0, 120.0, 4.0, 10.0, -40.0 if changed else -20.0, -10.0, 0.8, 5.0, 0.1)


def _is_other(clip: Clip) -> bool:
    if isinstance(clip, Edit):
        return clip.request.method == "palette" or not clip.request.landing
    return isinstance(clip, WorldEdit)


@pytest.fixture(scope="module")
def rows() -> dict[tuple[str, str], Row]:
    axes = {prompt: Style() for prompt in [*preset_prompts(), *free_prompts()]}
    plan = make_plan(["anna"], QUICK, None, axes, ["palette"])
    return {(row.what, row.of): row for row in method_rows(Bench(), plan)}  # type: ignore[arg-type]


def test_another_method_is_counted_by_itself(rows: dict[tuple[str, str], Row]) -> None:
    success = rows["other methods, style success", "palette"]
    words = rows["other methods, WER after - before", "palette"]
    # What changes nothing does what one of the twelve presets asks for; 20 dB softer is none of them.
    assert success.estimate.value == pytest.approx(1 / 12) and success.beside == "default 0.0 %"
    assert words.estimate.value == pytest.approx(1.0) and words.beside == "default +0.0 points"


def test_naturalness_is_that_of_the_plain_reading_apart(rows: dict[tuple[str, str], Row]) -> None:
    natural = {of: row for (what, of), row in rows.items() if what == "other methods, DNSMOS after - before"}
    assert natural[WORLD].estimate.value == natural[BRIDGE_ALONE].estimate.value == pytest.approx(-1.0)
    assert natural[WORLD].beside == "default -0.50"
    assert natural["palette"].estimate.value is None


@pytest.mark.parametrize("name", [BRIDGE_ALONE, WORLD])
def test_what_is_nearest_to_the_default_is_counted_on_free_prompts_too(
    rows: dict[tuple[str, str], Row], name: str
) -> None:
    assert rows["other methods, style success", name].estimate.value == pytest.approx(1 / 12)
    free = rows["other methods, style success of free prompts", name]
    assert free.estimate.value == 0.0 and free.beside == "default 0.0 %"
    assert len(rows) == 3 * 3 + 2


def test_without_predicted_axes_there_is_no_signal_processing_to_compare_with() -> None:
    plan = make_plan(["anna"], QUICK, None, {}, [])
    assert {row.of for row in method_rows(Bench(), plan)} == {BRIDGE_ALONE}  # type: ignore[arg-type]
