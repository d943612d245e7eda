"""What changed, as a table: each attribute before and after, and the difference in a unit one can hear."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from latent_edit.axes import AXES
from latent_edit.success import AxisOutcome, judge
from latent_edit.ui.prompt_panel import shown

if TYPE_CHECKING:
    from latent_edit.result import EditResult

NOT_MEASURED = "not measured"
NO_VOICE = "a whisper has none"
WHISPERED = 0.1  # voiced share below which a clip has no pitch to measure
MINUS = "\u2212"
Change = Callable[[float, float], str]  # before, after -> the change with its sign and unit


@dataclass(frozen=True)
class Attribute:
    """How one value, times `factor`, is written in `unit`, and what it means to those who do not measure speech."""

    name: str
    meaning: str
    unit: str
    digits: int
    change: Change
    factor: float = 1.0

    def row(self, before: float | None, after: float | None) -> dict[str, str]:
        """One row of the table; "not measured" where there is no value, and then no change either."""
        measured = before is not None and after is not None
        return {
            "name": self.name,
            "meaning": self.meaning,
            "before": self._value(before),
            "after": self._value(after),
            "change": self.change(before, after) if measured else "",  # type: ignore[arg-type]
        }

    def _value(self, value: float | None) -> str:
        return NOT_MEASURED if value is None else f"{number(self.factor * value, self.digits)} {self.unit}".strip()


def number(value: float, digits: int, signed: bool = False) -> str:
    """A rounded number with a real minus sign; zero has no sign."""
    rounded = round(value, digits) + 0.0  # turns -0.0 into 0.0
    return f"{rounded:{'+' if signed and rounded else ''}.{digits}f}".replace("-", MINUS)


def difference(unit: str, digits: int, factor: float = 1.0) -> Change:
    """Change as after - before, times `factor`."""
    return lambda before, after: f"{number(factor * (after - before), digits, signed=True)} {unit}".strip()


def semitones(before: float, after: float) -> str:
    """Change of a frequency as a musical interval."""
    return f"{number(12 * math.log2(after / before), 1, signed=True)} st"


def percent(before: float, after: float) -> str:
    """Change relative to before."""
    return f"{number(100 * (after / before - 1), 0, signed=True)} %" if before > 0 else ""


ATTRIBUTES = {
    "pitch_hz": Attribute("Pitch", "median", "Hz", 0, semitones),
    "pitch_range_semitones": Attribute("Pitch range", "span of the melody", "st", 1, difference("st", 1)),
    "pace_phonemes_per_second": Attribute("Pace", "sounds per second", "/ s", 1, percent),
    "duration_seconds": Attribute("Length", "of the whole clip", "s", 2, percent),
    "level_db": Attribute("Level", "while speaking", "dB", 1, difference("dB", 1)),
    "tilt_db": Attribute("Vocal effort", "high against low", "dB", 1, difference("dB", 1)),
    "voiced_share": Attribute("Voicing", "not whispered", "%", 0, difference("points", 0, 100.0), factor=100.0),
    "harmonicity_db": Attribute("Clear tone", "tone against noise", "dB", 1, difference("dB", 1)),
    "tremor_semitones": Attribute("Tremor", "of the pitch", "st", 2, difference("st", 2)),
}
SIMILARITY = Attribute("Match", "with your words", "", 2, difference("", 2))
LIKENESS = replace(SIMILARITY, meaning="with your clip")


def measured_value(result: EditResult) -> dict[str, Any]:
    """The rows of the table: {"rows": [{name, meaning, before, after, change}, ...]}, all text."""
    before, after = result.measurements_before, result.measurements_after
    rows = [attribute.row(getattr(before, name), getattr(after, name)) for name, attribute in ATTRIBUTES.items()]
    if after.pitch_hz is None and after.voiced_share is not None and after.voiced_share < WHISPERED:
        rows = [{**row, "after": NO_VOICE if row["after"] == NOT_MEASURED else row["after"]} for row in rows]
    match = SIMILARITY if result.request.reference is None else LIKENESS
    if result.asked is None or result.asked.understood:
        rows.append(match.row(result.style_similarity_before, result.style_similarity_after))
    return {"rows": rows, **asked_value(result)}


def asked_value(result: EditResult) -> dict[str, Any]:
    """What was asked of each axis, what happened, and one verdict by the success rule (`success`)."""
    if result.asked is None:
        return {}
    found = judge(result.request, result.asked, result.measurements_before, result.measurements_after)
    rows = [
        {
            "name": AXES[o.name].title,
            "asked": shown(o.name, o.asked),
            "got": NO_VOICE if o.verdict == "no voice" else _got(o),
            "verdict": o.verdict,
        }
        for o in found.axes
        if o.verdict != "left alone"
    ]
    return {"outcomes": rows, "verdict": found.sentence}


def _got(outcome: AxisOutcome) -> str:
    if outcome.got is None:
        return NOT_MEASURED
    if outcome.measure == outcome.name:
        return shown(outcome.name, outcome.got)
    return ATTRIBUTES[outcome.measure].change(0.0, outcome.got)
