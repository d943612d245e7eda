"""Other methods are held against the default on the same readings."""

from __future__ import annotations

from typing import Any

import pytest

from latent_edit.evaluation.clips import Clip, Edited
from latent_edit.evaluation.method_rows import method_rows
from latent_edit.evaluation.plan import QUICK, make_plan
from latent_edit.measures import Measurements


class Bench:
    """Judges who find that the other method loses every word and changes nothing, and the default the reverse."""

    def ask(self, judge: str, clip: Clip) -> Any:
        assert judge == "heard"
        return "" if _is_other(clip) else clip.text

    def measured(self, clip: Clip) -> Measurements:
        changed = isinstance(clip, Edited) and not _is_other(clip)
        return Measurements(1.0, 120.0, 4.0, 10.0, -40.0 if changed else -20.0, -10.0, 0.8, 5.0, 0.1)


def _is_other(clip: Clip) -> bool:
    return isinstance(clip, Edited) and clip.request.method == "palette"


def test_each_is_counted_by_itself() -> None:
    success, words = method_rows(Bench(), make_plan(["anna"], QUICK, None, {}, ["palette"]))  # type: ignore[arg-type]
    assert (success.of, words.of) == ("palette", "palette")
    # What changes nothing does what one of the twelve presets asks for; 20 dB softer is none of them.
    assert success.estimate.value == pytest.approx(1 / 12) and success.beside == "default 0.0 %"
    assert words.estimate.value == pytest.approx(1.0) and words.beside == "default 0.0 %"


def test_without_another_method_there_is_nothing_to_say() -> None:
    assert method_rows(Bench(), make_plan(["anna"], QUICK, None, {})) == []  # type: ignore[arg-type]
