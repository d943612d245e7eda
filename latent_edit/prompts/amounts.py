"""Numbers in a prompt as exact values of the style axes: "two semitones higher", "half the speed", "20 % slower".

Speed, range and pitch are read as ratios. Twice as loud is 10 dB more (one doubling in sones: Stevens 1955, JASA 27).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from latent_edit.axes import LIMITS
from latent_edit.prompts.numbers import Quantity, quantity_at, text_at
from latent_edit.prompts.tokens import Token

PITCH, RANGE, PACE, LEVEL, TILT, BREATH, TREMOR = LIMITS
DB_PER_DOUBLING = 10.0
REACH = 6  # tokens on either side of an amount in which its direction stands

MULTIPLES = {
    "twice": 2.0, "double": 2.0, "doubled": 2.0, "doubling": 2.0, "thrice": 3.0, "triple": 3.0, "tripled": 3.0,
    "quadruple": 4.0,
    "halve": 0.5, "halved": 0.5, "halving": 0.5,
}  # fmt: skip
SEMITONES = {
    "semitone": 1.0, "semitones": 1.0, "halftone": 1.0, "halftones": 1.0, "st": 1.0, "semis": 1.0, "octave": 12.0,
    "octaves": 12.0,
    "cent": 0.01, "cents": 0.01, "tone": 2.0, "step": 2.0, "steps": 2.0,
}  # fmt: skip
DECIBELS = ("db", "decibel", "decibels", "dbs")
TIMES = ("times", "x", "fold", "time")
ABSOLUTE = ("hz", "hertz", "khz", "wpm", "ms", "bpm")
COUNTED = ("word", "words", "syllable", "syllables")  # per minute
SECONDS = ("s", "sec", "secs", "second", "seconds", "minute", "minutes")
INTERVALS = {"third": 4.0, "fourth": 5.0, "fifth": 7.0}  # of music, in semitones
TUNED = ("raise", "raised", "raising", "up", "down", "drop", "dropped", "dropping", "lift", "lifted")  # by an interval
# Words of comparison: the axis, +1 for more of it. Those of pace are of speed, so more is a smaller axis value.
COMPARED: dict[str, tuple[str, int]] = {
    **dict.fromkeys(("higher", "high", "sharper"), (PITCH, 1)),
    **dict.fromkeys(("lower", "low", "deeper", "deep", "flatter"), (PITCH, -1)),
    **dict.fromkeys(("faster", "fast", "quicker", "quick", "quickly", "rapid", "rapidly", "shorter"), (PACE, 1)),
    **dict.fromkeys(("slower", "slow", "slowly", "longer", "long"), (PACE, -1)),
    **dict.fromkeys(("louder", "loud", "loudly"), (LEVEL, 1)),
    **dict.fromkeys(("quieter", "quiet", "quietly", "softer", "soft", "softly", "fainter"), (LEVEL, -1)),
    **dict.fromkeys(("brighter", "bright"), (TILT, 1)),
    **dict.fromkeys(("darker", "dark", "duller"), (TILT, -1)),
    **dict.fromkeys(("breathier", "breathy", "breath"), (BREATH, 1)),
    **dict.fromkeys(("shakier", "shaky"), (TREMOR, 1)),
    **dict.fromkeys(("wider", "wide", "expressive", "melodic"), (RANGE, 1)),
    **dict.fromkeys(("narrower", "narrow", "flat"), (RANGE, -1)),
}  # fmt: skip
NOUNS: dict[str, str] = {
    **dict.fromkeys(("pitch", "voice", "key"), PITCH),
    **dict.fromkeys(("speed", "pace", "tempo", "rate", "pacing", "clip"), PACE),
    **dict.fromkeys(("volume", "loudness", "level", "amplitude"), LEVEL),
    **dict.fromkeys(("range", "intonation", "inflection", "melody", "expression", "variation", "modulation"), RANGE),
    **dict.fromkeys(("effort", "brightness", "treble", "tilt", "tension"), TILT),
    **dict.fromkeys(("breathiness", "breath", "air", "airiness"), BREATH),
    **dict.fromkeys(("tremor", "vibrato", "tremble", "wobble"), TREMOR),
}  # fmt: skip
DURATIONS = ("duration", "length", "time", "longer", "long", "shorter", "short", "durations")  # inverse to speed
MORE = frozenset(
    """up upwards raise raised raising increase increased increasing lift lifted boost more add plus above
    extra""".split()  # noqa: SIM905  (words, to be read as such)
)
LESS = frozenset(
    """down downwards reduce reduced reducing decrease decreased decreasing drop dropped dropping less cut minus below
    lowered""".split()  # noqa: SIM905  (words, to be read as such)
)
AROUND = frozenset(
    """by as the a an of at to than normal usual before now is be should your its it this that with in about around
    roughly exactly approximately nearly almost maybe only just speak say talk spoken usually regular original current
    please make change set put shift go""".split()  # noqa: SIM905  (words, to be read as such)
)
DENYING = ("not", "dont", "never", "without", "isnt", "doesnt", "shouldnt", "avoid", "no")


@dataclass(frozen=True)
class Amount:
    """A number and what it sets. first, last: its tokens, with the words of its direction among `used`."""

    axis: str | None
    value: float
    used: frozenset[int]
    typed: str
    denied: bool = False
    limited: bool = False
    remark: str = ""


def amounts(tokens: Sequence[Token]) -> list[Amount]:
    """All amounts of a prompt."""
    found: list[Amount] = []
    at = 0
    while at < len(tokens):
        amount = _amount(tokens, at)
        if amount is None or any(amount.used & other.used for other in found):
            at += 1
            continue
        found.append(amount)
        at = max(i for i in amount.used if i >= at) + 1
    return found


def _amount(tokens: Sequence[Token], at: int) -> Amount | None:
    """The amount that begins at a token, if one does."""
    word = text_at(tokens, at)
    if word in MULTIPLES:
        return _ratio(tokens, Quantity(MULTIPLES[word], at, at + 1))
    quantity = quantity_at(tokens, at)
    if quantity is None:
        return None
    unit = text_at(tokens, quantity.after)
    end = quantity.after + 1
    if unit in ("half", "whole", "full") and text_at(tokens, end) in ("tone", "tones", "step", "steps"):
        return _pitch(tokens, quantity, 1.0 if unit == "half" else 2.0, end + 1)
    if quantity.is_fraction and unit in ("step", "tone", "tones", "steps"):
        return _pitch(tokens, quantity, 2.0, end)
    if unit in SEMITONES and not (unit in ("tone", "step", "steps") and word in ("a", "an")):
        return _pitch(tokens, quantity, SEMITONES[unit], end)
    if unit in DECIBELS:
        return _level(tokens, quantity, end)
    if end := _absolute(tokens, quantity.after):
        return _without_effect(tokens, quantity.first, end)
    end = quantity.after + 1
    if unit in ("%", "percent", "per"):
        end += unit == "per" and text_at(tokens, end) == "cent"
        return _percent(tokens, quantity, end)
    if unit in TIMES and word not in ("a", "an"):
        return _ratio(tokens, Quantity(quantity.value, quantity.first, end, quantity.sign))
    if quantity.is_fraction:
        return _fraction(tokens, quantity)
    if tokens[at].kind == "number" or tokens[at].kind == "sign":
        return _bare(tokens, quantity)
    return None


def _absolute(tokens: Sequence[Token], at: int) -> int:
    """Where a unit ends that only a whole sentence can have: 200 Hz, 120 words per minute, 3 seconds long; or 0."""
    unit, following = text_at(tokens, at), text_at(tokens, at + 1)
    if unit in ABSOLUTE:
        return at + 1
    if unit in COUNTED and following in ("per", "a", "/") and text_at(tokens, at + 2) in SECONDS:
        return at + 3
    is_length = following in DURATIONS or COMPARED.get(following, (None, 0))[0] == PACE
    return at + 2 if unit in SECONDS and is_length else 0


def _without_effect(tokens: Sequence[Token], first: int, end: int) -> Amount:
    used = frozenset(range(first, end))
    remark = "an edit starts from the plain reading: say by how much, such as 2 semitones, 3 dB or 20 percent"
    return Amount(None, 0.0, used, _typed(tokens, used), remark=remark)


@dataclass(frozen=True)
class _Context:
    """What stands around an amount. sign: +1 more, -1 less, 0 unsaid; inverse: it is about durations."""

    axis: str | None
    sign: int
    inverse: bool
    used: frozenset[int]
    denied: bool
    compared: bool


def _context(tokens: Sequence[Token], first: int, after: int) -> _Context:
    """Axis and direction of an amount: the nearest words for them in its clause, after it before those before it."""
    low, high = _clause(tokens, first, after)
    order = [*range(after, high), *range(first - 1, low - 1, -1)]
    axis, sign, inverse, compared = None, 0, False, False
    used = set(range(first, after))
    for i in order:
        word = tokens[i].text
        if word in NOUNS and (axis is None or (word != "voice" and not compared)) and not (word == "voice" and axis):
            axis = NOUNS[word]
            used.add(i)
        elif word in COMPARED and (not sign or axis is None):
            found, sign = COMPARED[word][0], sign or COMPARED[word][1]
            compared = True
            inverse = word in DURATIONS
            axis = found if axis is None or word not in ("higher", "lower", "high", "low") else axis
            used.add(i)
        elif word in MORE | LESS and not sign:
            sign = 1 if word in MORE else -1
            used.add(i)
        elif word in DURATIONS:
            axis, inverse = PACE, True
            used.add(i)
        elif word in AROUND:
            used.add(i)
    denied = any(tokens[i].text in DENYING for i in range(low, first)) and not _bounded(tokens, low, first)
    return _Context(axis, sign, inverse, frozenset(used), denied, compared)


def _bounded(tokens: Sequence[Token], low: int, first: int) -> bool:
    """Whether it says "no more than", which gives the number all the same."""
    words = [tokens[i].text for i in range(low, first)]
    return any(
        words[i : i + 3] in (["no", "more", "than"], ["not", "more", "than"], ["no", "less", "than"])
        for i in range(len(words))
    )


def _clause(tokens: Sequence[Token], first: int, after: int) -> tuple[int, int]:
    """The tokens around an amount that are about it: up to the next sign, "and" or "but", and not too far."""

    def ends(i: int) -> bool:
        return tokens[i].kind in ("stop", "comma") or tokens[i].text in ("and", "but", "then", "while", "with")

    def start(end: int) -> int:
        return next((i for i in range(end, max(0, end - REACH), -1) if ends(i - 1)), max(0, end - REACH))

    low, high = start(first), after
    while high < len(tokens) and high < after + REACH and not ends(high):
        high += 1
    said = {tokens[i].text for i in range(low, high)}
    if (
        not said & (COMPARED.keys() | NOUNS.keys() | MORE | LESS | set(DURATIONS))
        and low > 0
        and tokens[low - 1].kind == "comma"
    ):
        low = start(low - 1)  # "louder, by 10 dB"
    return low, high


def _set(tokens: Sequence[Token], context: _Context, axis: str, value: float) -> Amount:
    low, high = LIMITS[axis]
    kept = min(max(value, low), high)
    return Amount(
        axis, kept, context.used, _typed(tokens, context.used), context.denied, limited=abs(kept - value) > 1e-6
    )


def _unclear(tokens: Sequence[Token], context: _Context, remark: str) -> Amount:
    return Amount(None, 0.0, context.used, _typed(tokens, context.used), remark=remark)


def _typed(tokens: Sequence[Token], used: frozenset[int]) -> str:
    kept = sorted(used)
    while kept and tokens[kept[0]].text in AROUND - {"a", "an"}:
        kept.pop(0)
    while kept and tokens[kept[-1]].text in AROUND:
        kept.pop()
    return " ".join(tokens[i].typed for i in range(kept[0], kept[-1] + 1) if i in used) if kept else ""


def _pitch(tokens: Sequence[Token], quantity: Quantity, each: float, end: int) -> Amount:
    context = _context(tokens, quantity.first, end)
    size = quantity.value * each
    if context.axis == TREMOR:
        return _set(tokens, context, TREMOR, size)
    sign = quantity.sign or context.sign
    if not sign:
        return _unclear(tokens, context, "say whether higher or lower")
    return _set(tokens, context, PITCH, sign * size)


def _level(tokens: Sequence[Token], quantity: Quantity, end: int) -> Amount:
    context = _context(tokens, quantity.first, end)
    sign = quantity.sign or context.sign
    if not sign:
        return _unclear(tokens, context, "say whether louder or quieter")
    return _set(tokens, context, TILT if context.axis == TILT else LEVEL, sign * quantity.value)


def _percent(tokens: Sequence[Token], quantity: Quantity, end: int) -> Amount | None:
    """20 percent slower, +20 % speed; at 80 percent speed, 80 % of the speed."""
    context = _context(tokens, quantity.first, end)
    share = quantity.value / 100
    sign = quantity.sign or context.sign
    if context.axis is None:
        return _unclear(tokens, context, "say of what: speed, volume, pitch or range") if sign else None
    if context.axis == BREATH:
        return _set(tokens, context, BREATH, share)
    if context.axis == TREMOR:
        return None
    if not sign or _is_target(tokens, quantity):
        return _scaled(tokens, context, share)
    if context.inverse:  # "30 % longer" is about the length itself
        return _set(tokens, context, PACE, math.log(max(1 - sign * share, 0.1)))
    return _scaled(tokens, context, 1 + share if sign > 0 else (1 - share if share < 0.9 else 1 / (1 + share)))


def _is_target(tokens: Sequence[Token], quantity: Quantity) -> bool:
    """Whether a number says what becomes of an axis: "slow it down to 60 %", but "up to 20 % faster"."""
    end = quantity.after
    while text_at(tokens, end) in ("%", "percent", "per", "cent", *TIMES):
        end += 1
    return text_at(tokens, quantity.first - 1) == "to" and text_at(tokens, end) not in COMPARED


def _ratio(tokens: Sequence[Token], quantity: Quantity) -> Amount | None:
    """Twice as fast, 1.5x speed, three times slower, double the speed."""
    context = _context(tokens, quantity.first, quantity.after)
    if context.axis is None or context.axis in (TREMOR, BREATH) or quantity.value <= 0:
        return (
            _unclear(tokens, context, "say of what: speed, volume, pitch or range")
            if context.axis is None and quantity.after - quantity.first > 1
            else None
        )
    if text_at(tokens, quantity.after) == "the" and context.axis == PITCH and "voice" in {t.text for t in tokens}:
        return None
    is_more = context.sign >= 0 or not context.compared or _is_target(tokens, quantity)
    return _scaled(tokens, context, quantity.value if is_more else 1 / quantity.value)


def _fraction(tokens: Sequence[Token], quantity: Quantity) -> Amount | None:
    """A third slower, the speed up by a third; half the speed, at half speed, half as fast; a fifth higher."""
    context = _context(tokens, quantity.first, quantity.after)
    words = {tokens[i].text for i in context.used}
    if interval := _interval(tokens, quantity, context, words):
        return _set(tokens, replace(context, axis=PITCH), PITCH, context.sign * interval)
    if context.axis is None or context.axis in (TREMOR, BREATH) or quantity.value <= 0:
        return None
    following = {text_at(tokens, quantity.after), text_at(tokens, quantity.after + 1)}
    is_change = context.compared or (context.sign != 0 and text_at(tokens, quantity.first - 1) == "by")
    if "as" in following or not is_change or _is_target(tokens, quantity):
        if not context.compared and not words & (NOUNS.keys() - {"voice"} | set(DURATIONS)):
            return None
        is_more = context.sign >= 0 or not context.compared or _is_target(tokens, quantity)
        return _scaled(tokens, context, quantity.value if is_more else 1 / quantity.value)
    if context.inverse:
        return _set(tokens, context, PACE, math.log(1 - context.sign * quantity.value))
    return _scaled(tokens, context, 1 + context.sign * quantity.value)


def _interval(tokens: Sequence[Token], quantity: Quantity, context: _Context, words: Collection[str]) -> float | None:
    """The semitones of a musical third, fourth or fifth: "a third higher", "down a fourth", "raise it by a fifth"."""
    moved = {"higher", "lower", "deeper", *TUNED} & set(words)
    if not moved or not context.sign or context.axis not in (PITCH, None) or quantity.value < 1 / 5:
        return None
    return INTERVALS.get(text_at(tokens, quantity.after - 1))


def _bare(tokens: Sequence[Token], quantity: Quantity) -> Amount | None:
    """A number without a unit: "speed 1.2", "breathiness 0.5"."""
    context = _context(tokens, quantity.first, quantity.after)
    if context.axis == PACE and 0.2 <= quantity.value <= 5 and not quantity.sign:
        return _scaled(tokens, context, quantity.value)
    if context.axis == BREATH and 0 <= quantity.value <= 1:
        return _set(tokens, context, BREATH, quantity.value)
    if context.axis and (quantity.sign or context.sign):
        return _unclear(tokens, context, "say the unit: semitones, dB or percent")
    return None


def _scaled(tokens: Sequence[Token], context: _Context, factor: float) -> Amount:
    """So many times the speed, loudness, pitch or range."""
    axis = str(context.axis)
    if factor <= 0:
        return _unclear(tokens, context, "a factor has to be above zero")
    octaves = math.log2(factor)
    per_octave = {
        PACE: math.log(2) if context.inverse and not context.compared else -math.log(2),
        LEVEL: DB_PER_DOUBLING,
        TILT: 6.0,
        PITCH: 12.0,
        RANGE: 1.0,
    }
    return _set(tokens, context, axis, octaves * per_octave[axis])
