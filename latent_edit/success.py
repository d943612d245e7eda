"""The success rule: whether an edit did what was asked of each axis, and left the others alone.

Fixed before the weights it judges. An axis that is named (what is asked reaches its floor) has to move in the right
direction by 0.5 to 2 times the size asked for, one that is set exactly to within its tolerance or 15 %, and one that is
not named has to stay within its tolerance. Sizes are in measured units: a tremor is measured at 0.7 of its depth, a
changed range at 0.9 of its octaves, and breath as the fall of the harmonicity, 10 dB for all of it (in the median of
`presets/reference-effects.yaml`). A whisper is judged by voicing, of which half has to go; it has no pitch.

What is asked of an edit is what its style asks for, times strength (`asked_of`). An axis that the style names, and that
a small strength takes below its floor, has to come to within its tolerance of what is left, as if it were set exactly:
by the rule of what is not named it would pass where it did not move. A whisper of a smaller strength is judged by its
harmonicity as long as there is one, and as a whisper when no voice is left.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from latent_edit.axes import AXES, BREATHINESS, LEVEL, LIMITS, PACE, PITCH, RANGE, TILT, TREMOR, WHISPER

if TYPE_CHECKING:
    from latent_edit.measures import Measurements
    from latent_edit.prompts.reading import PromptReading
    from latent_edit.request import EditRequest

LEAST, MOST = 0.5, 2.0  # times the size
EXACTLY = 0.15  # of what was set exactly
WHISPER_LOSS = 0.5  # of the voiced share, at least
VOICELESS = (PITCH, RANGE, TREMOR)  # what a whisper does not have
BREATH, VOICING = "harmonicity_db", "voiced_share"  # the two measures of breathiness
MEASURED = {RANGE: 0.9, TREMOR: 0.7}  # of what is asked, in measured units
HARMONICITY_DB = -10.0  # for a breathiness of 1
Verdict = Literal["as asked", "missed", "left alone", "moved", "not measured", "no voice"]


@dataclass(frozen=True)
class AxisOutcome:
    """One axis. asked: in its unit. got: the same as measured, for breath in harmonicity or voicing; None where it
    could not be measured. measure: the name of that measure. verdict: "no voice" where a whisper has none to judge."""

    name: str
    asked: float
    got: float | None
    measure: str
    verdict: Verdict

    @property
    def good(self) -> bool:
        """Whether there is nothing to complain about."""
        return self.verdict in ("as asked", "left alone", "no voice")


@dataclass(frozen=True)
class Judgement:
    """What came of an edit. axes: of every axis, in the order of `axes.AXES`. asked: whether anything was asked for."""

    axes: tuple[AxisOutcome, ...]
    asked: bool

    @property
    def sentence(self) -> str:
        """The one verdict."""
        good = succeeded(self.axes)
        if not self.asked:
            return "Nothing was asked for." if good else "Nothing was asked for, but not all was left alone."
        return "As asked, and the rest left alone." if good else "Not all as asked."


def asked_of(request: EditRequest, reading: PromptReading) -> dict[str, float]:
    """What is asked of every axis of an edit, by name and in the axis' unit, as `editor` goes about it.

    That is what the reading asks for, whether by words, by a number or by hand, times strength; nothing at guidance 0.
    Only a pace that the request gives, a factor on durations, is taken as it is.
    """
    asked = {name: _amount(request) * value for name, value in reading.values.items()}
    asked[BREATHINESS] = min(asked[BREATHINESS], LIMITS[BREATHINESS][1])  # there is no more than all of it
    if request.pace is not None:
        asked[PACE] = math.log(request.pace)
    return asked


def judge(request: EditRequest, reading: PromptReading, before: Measurements, after: Measurements) -> Judgement:
    """Whether an edit did what is asked of it. reading: of its style, with what is set by hand (`EditResult.asked`)."""
    asked = asked_of(request, reading)
    exactly = {PACE, *reading.exact} if request.pace is not None else {*reading.exact}
    if _amount(request):
        exactly |= {name for name, value in reading.values.items() if abs(asked[name]) < AXES[name].floor <= abs(value)}
    a_whisper = reading.value(BREATHINESS) >= WHISPER and asked[BREATHINESS] >= AXES[BREATHINESS].floor
    any_asked = request.pace is not None or (reading.understood and _amount(request) > 0)
    return Judgement(outcomes(asked, before, after, exactly, a_whisper and after.pitch_hz is None), any_asked)


def effects(before: Measurements, after: Measurements) -> dict[str, float | None]:
    """After against before on every axis, in the axis' unit; None where one of the two was not measured.

    Breathiness is there as its two measures: "harmonicity_db" in dB and "voiced_share" as a difference of shares.
    """
    pitch = _octaves(before.pitch_hz, after.pitch_hz)
    longer = _octaves(before.duration_seconds, after.duration_seconds)
    return {
        PITCH: None if pitch is None else 12 * pitch,
        RANGE: _octaves(before.pitch_range_semitones, after.pitch_range_semitones),
        PACE: None if longer is None else math.log(2) * longer,
        LEVEL: _difference(before.level_db, after.level_db),
        TILT: _difference(before.tilt_db, after.tilt_db),
        BREATH: _difference(before.harmonicity_db, after.harmonicity_db),
        VOICING: _difference(before.voiced_share, after.voiced_share),
        TREMOR: _difference(before.tremor_semitones, after.tremor_semitones),
    }


def outcomes(
    asked: Mapping[str, float],
    before: Measurements,
    after: Measurements,
    exactly: Collection[str] = (),
    whispered: bool = False,
) -> tuple[AxisOutcome, ...]:
    """What came of each axis.

    asked: by name of the axis, in its unit. exactly: those that were set exactly. whispered: judge it as a whisper,
    also where less breath than one has is asked for.
    """
    moved = effects(before, after)
    whispered = whispered or asked.get(BREATHINESS, 0.0) >= WHISPER
    return tuple(_outcome(name, asked.get(name, 0.0), moved, before, whispered, name in exactly) for name in AXES)


def succeeded(results: Collection[AxisOutcome]) -> bool:
    """The one verdict: everything as asked, or left alone."""
    return all(result.good for result in results)


def _amount(request: EditRequest) -> float:
    """What the sizes of a style are multiplied by."""
    return request.strength if request.guidance > 0 else 0.0


def _outcome(
    name: str, asked: float, moved: Mapping[str, float | None], before: Measurements, whispered: bool, exact: bool
) -> AxisOutcome:
    axis = AXES[name]
    if name == BREATHINESS:
        return _breath(asked, moved, before, exact, whispered)
    got = moved[name]
    if whispered and name in VOICELESS:
        return AxisOutcome(name, asked, got, name, "no voice")
    size = MEASURED.get(name, 1.0) * asked
    named = abs(asked) >= axis.floor
    if got is None:
        return AxisOutcome(name, asked, None, name, "not measured" if named or exact else "left alone")
    if exact:
        good = abs(got - size) <= max(axis.tolerance, EXACTLY * abs(size))
        return AxisOutcome(name, asked, got, name, ("as asked" if good else "missed") if size else _alone(good))
    if named:
        return AxisOutcome(name, asked, got, name, "as asked" if LEAST <= got / size <= MOST else "missed")
    return AxisOutcome(name, asked, got, name, _alone(_beside(got, size, axis.tolerance)))


def _breath(
    asked: float, moved: Mapping[str, float | None], before: Measurements, exact: bool, whispered: bool
) -> AxisOutcome:
    axis, voicing = AXES[BREATHINESS], moved[VOICING]
    if whispered:
        lost = None if voicing is None or not before.voiced_share else -voicing / before.voiced_share
        if lost is None:
            return AxisOutcome(axis.name, asked, voicing, VOICING, "not measured")
        return AxisOutcome(axis.name, asked, voicing, VOICING, "as asked" if lost >= WHISPER_LOSS else "missed")
    if asked >= axis.floor or (exact and asked > 0):
        got, size = moved[BREATH], HARMONICITY_DB * asked
        if got is None:
            return AxisOutcome(axis.name, asked, None, BREATH, "not measured")
        # From the floor on, what is within the tolerance is also between half and twice the size.
        good = LEAST <= got / size <= MOST or abs(got - size) <= abs(HARMONICITY_DB) * axis.tolerance
        return AxisOutcome(axis.name, asked, got, BREATH, "as asked" if good else "missed")
    alone = voicing is None or abs(voicing) <= axis.tolerance  # breath that is not named is seen in the voicing
    return AxisOutcome(axis.name, asked, voicing, VOICING, _alone(alone))


def _beside(got: float, size: float, tolerance: float) -> bool:
    """Whether an axis that is not named is between where it was and what little is asked of it, or nearly so."""
    return min(0.0, size) - tolerance <= got <= max(0.0, size) + tolerance


def _alone(good: bool) -> Verdict:
    return "left alone" if good else "moved"


def _octaves(before: float | None, after: float | None) -> float | None:
    return math.log2(after / before) if before and after else None


def _difference(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before
