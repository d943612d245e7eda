"""What was understood, asked and measured, in words and units that people know: for page and command line."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from latent_edit.axes import AXES
from latent_edit.success import judge

if TYPE_CHECKING:
    from latent_edit.measures import Measurements
    from latent_edit.prompts.reading import AskedAxis, PromptReading
    from latent_edit.result import EditResult
    from latent_edit.success import AxisOutcome

NOT_MEASURED = "not measured"
NO_VOICE = "a whisper has none"
WHISPERED = 0.1  # voiced share below which a clip has no pitch to measure
MINUS = "\u2212"
RATIOS = {"pace_log_ratio": ("of the length", math.e), "range_ratio_log2": ("", 2.0)}
Change = Callable[[float, float], str]  # before, after -> the change with its sign and unit


@dataclass(frozen=True)
class Attribute:
    """How one value, times `factor`, is written in `unit`, and what it means to those who do not measure speech.

    of_voice: whether a whisper has none.
    """

    name: str
    meaning: str
    unit: str
    digits: int
    change: Change
    factor: float = 1.0
    of_voice: bool = False

    def row(self, before: float | None, after: float | None, whispered: bool = False) -> dict[str, str]:
        """One row of the table; without a value it says why, and has no change. whispered: whether after is."""
        measured = before is not None and after is not None
        return {
            "name": self.name,
            "meaning": self.meaning,
            "before": self._value(before, NOT_MEASURED),
            "after": self._value(after, NO_VOICE if self.of_voice and whispered else NOT_MEASURED),
            "change": self.change(before, after) if measured else "",  # type: ignore[arg-type]
        }

    def _value(self, value: float | None, missing: str) -> str:
        return missing if value is None else f"{number(self.factor * value, self.digits)} {self.unit}".strip()


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
    "pitch_hz": Attribute("Pitch", "median", "Hz", 0, semitones, of_voice=True),
    "pitch_range_semitones": Attribute(
        "Pitch range", "span of the melody", "st", 1, difference("st", 1), of_voice=True
    ),
    "pace_phonemes_per_second": Attribute("Pace", "sounds per second", "/ s", 1, percent),
    "duration_seconds": Attribute("Length", "of the whole clip", "s", 2, percent),
    "level_db": Attribute("Level", "while speaking", "dB", 1, difference("dB", 1)),
    "tilt_db": Attribute("Vocal effort", "high against low", "dB", 1, difference("dB", 1)),
    "voiced_share": Attribute("Voicing", "not whispered", "%", 0, difference("points", 0, 100.0), factor=100.0),
    "harmonicity_db": Attribute("Clear tone", "tone against noise", "dB", 1, difference("dB", 1), of_voice=True),
    "tremor_semitones": Attribute("Tremor", "of the pitch", "st", 2, difference("st", 2), of_voice=True),
}
SIMILARITY = Attribute("Match", "with your words", "", 2, difference("", 2))
LIKENESS = replace(SIMILARITY, meaning="with your clip")


def measured_row(name: str, before: Measurements, after: Measurements) -> dict[str, str]:
    """One of `ATTRIBUTES` as {name, meaning, before, after, change}, all text."""
    whispered = after.pitch_hz is None and after.voiced_share is not None and after.voiced_share < WHISPERED
    return ATTRIBUTES[name].row(getattr(before, name), getattr(after, name), whispered)


def measured_rows(result: EditResult) -> list[dict[str, str]]:
    """The rows of all attributes, and of the match with the style where anything was understood of it."""
    rows = [measured_row(name, result.measurements_before, result.measurements_after) for name in ATTRIBUTES]
    if result.asked is None or result.asked.understood:
        match = SIMILARITY if result.request.reference is None else LIKENESS
        rows.append(match.row(result.style_similarity_before, result.style_similarity_after))
    return rows


def outcome_rows(result: EditResult) -> tuple[list[dict[str, str]], str]:
    """Every axis as {name, asked, got, verdict}, those left alone last, and the one verdict by the rule (`success`)."""
    if result.asked is None:
        return [], ""
    found = judge(result.request, result.asked, result.measurements_before, result.measurements_after)
    rows = [
        {
            "name": AXES[outcome.name].title,
            "asked": shown(outcome.name, outcome.asked),
            "got": _got(outcome),
            "verdict": "not asked for" if outcome.got is None and outcome.verdict == "left alone" else outcome.verdict,
        }
        for outcome in sorted(found.axes, key=lambda outcome: outcome.verdict == "left alone")
    ]
    return rows, found.sentence


def _got(outcome: AxisOutcome) -> str:
    if outcome.verdict == "no voice":
        return NO_VOICE
    if outcome.got is None:
        return NOT_MEASURED
    if outcome.measure == outcome.name:
        return shown(outcome.name, outcome.got)
    return ATTRIBUTES[outcome.measure].change(0.0, outcome.got)


def asked_in_words(reading: PromptReading) -> list[str]:
    """Of each axis as much as one hears of it, or what was set exactly, with the words that it comes from."""
    return [
        f"{AXES[axis.name].title} {shown(axis.name, axis.value)}{_from(axis)}"
        for axis in reading.axes
        if axis.named or axis.exact
    ]


def _from(axis: AskedAxis) -> str:
    return f" ({', '.join(axis.words)})" if axis.words else ""


def reading_lines(reading: PromptReading) -> list[str]:
    """Remarks about a reading, in plain text."""
    acted = ", as actors express it" if reading.manner else ""
    lines = [f"Emotion: {reading.emotion}{acted}."] if reading.emotion else []
    lines += [f"Not wanted: {', '.join(reading.denied)}."] if reading.denied else []
    lines += [f"{s.word}: {'read' if s.typo else 'taken'} as {s.taken_as}." for s in reading.substitutions]
    lines += [f"Not understood: {', '.join(reading.not_understood)}."] if reading.not_understood else []
    for item in reading.out_of_scope:
        lines.append(f"{item.words}: {item.about}{'' if item.effect else '; an edit does not change this'}.")
    lines += list(reading.notes)
    return lines if reading.understood else ["Nothing here changes how it sounds.", *lines]


def shown(name: str, value: float) -> str:
    """A value of an axis in a unit that people know."""
    if name in RATIOS:
        what, base = RATIOS[name]
        return f"\u00d7 {base**value:.2f} {what}".strip()
    if name == "breathiness":
        return f"{100 * value:.0f} %"
    return f"{number(value, 1, signed=True)} {AXES[name].unit}" if value else f"0 {AXES[name].unit}"
