"""Numbers in figures and in words: 2, +3, 1.5, 1/2, 5-10, two or three, half a, one and a half, a hundred and fifty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from latent_edit.prompts.tokens import Token

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
NUMBERS: dict[str, float] = {
    **{word: float(number) for number, word in enumerate(_ONES.split())},
    **{word: 10.0 * number for number, word in enumerate(_TENS.split(), start=2)},
    "hundred": 100.0, "a": 1.0, "an": 1.0, "couple": 2.0, "few": 3.0,
}  # fmt: skip
FRACTIONS = {
    "half": 1 / 2, "halves": 1 / 2, "third": 1 / 3, "thirds": 1 / 3, "quarter": 1 / 4, "quarters": 1 / 4,
    "fourth": 1 / 4,
    "fifth": 1 / 5, "fifths": 1 / 5, "tenth": 1 / 10, "tenths": 1 / 10,
}  # fmt: skip
_NO_CARDINALS = ("a", "an", "few", "couple")


@dataclass(frozen=True)
class Quantity:
    """A number and the tokens that it takes, from `first` to before `after`; sign: as written before it, or 0."""

    value: float
    first: int
    after: int
    sign: int = 0
    is_fraction: bool = False


def text_at(tokens: Sequence[Token], at: int) -> str:
    """The text of a token; "" beyond the prompt."""
    return tokens[at].text if 0 <= at < len(tokens) else ""


def quantity_at(tokens: Sequence[Token], at: int) -> Quantity | None:
    """The number that begins at a token, if one does."""
    sign, first = 0, at
    if tokens[at].kind == "sign" and text_at(tokens, at) in "+-~":
        sign = {"+": 1, "-": -1}.get(tokens[at].text, 0)
        at += 1
    elif text_at(tokens, at) in ("plus", "minus"):
        sign = 1 if tokens[at].text == "plus" else -1
        at += 1
    value, after = _plain_number(tokens, at)
    if value is None:
        return None
    if text_at(tokens, after) in ("-", "to", "or") and after + 1 < len(tokens):
        upper, end = _plain_number(tokens, after + 1)
        if upper is not None and upper > value and text_at(tokens, after + 1) not in ("a", "an"):
            value, after = (value + upper) / 2, end
    is_fraction = text_at(tokens, at) in FRACTIONS or (
        after - 1 > at and text_at(tokens, after - 1) in FRACTIONS and value < 1
    )
    return Quantity(value, first, after, sign, is_fraction)


def _plain_number(tokens: Sequence[Token], at: int) -> tuple[float | None, int]:
    word = text_at(tokens, at)
    if at < len(tokens) and tokens[at].kind == "number":
        value, after = float(word), at + 1
        if text_at(tokens, after) == "/" and after + 1 < len(tokens) and tokens[after + 1].kind == "number":
            return value / max(float(tokens[after + 1].text), 1.0), after + 2
        return value, after
    if word in FRACTIONS:
        after = at + 1
        return FRACTIONS[word], after + (text_at(tokens, after) in ("a", "an"))
    if word not in NUMBERS:
        return None, at
    value, after = _whole_number(tokens, at)
    if text_at(tokens, after) == "point" and text_at(tokens, after + 1) in NUMBERS:
        value, after = value + NUMBERS[tokens[after + 1].text] / 10, after + 2
    if text_at(tokens, after) in FRACTIONS:
        return value * FRACTIONS[tokens[after].text], after + 1
    if (
        text_at(tokens, after) == "and"
        and text_at(tokens, after + 1) in ("a", "one")
        and text_at(tokens, after + 2) in FRACTIONS
    ):
        return value + FRACTIONS[tokens[after + 2].text], after + 3
    return value, after


def _whole_number(tokens: Sequence[Token], at: int) -> tuple[float, int]:
    """One of `NUMBERS` that stands here, with those that go with it: a couple of, twenty five, two hundred and ten."""
    word = text_at(tokens, at)
    if word in ("a", "an", "one") and text_at(tokens, at + 1) in ("couple", "few"):
        word, at = text_at(tokens, at + 1), at + 1
    if word == "couple":
        return NUMBERS[word], at + 1 + (text_at(tokens, at + 1) == "of")
    value, after = _below_hundred(tokens, at)
    if 1 <= value <= 9 and text_at(tokens, after) == "hundred":
        value, after = value * NUMBERS["hundred"], after + 1
    if text_at(tokens, after - 1) == "hundred":
        rest = after + (text_at(tokens, after) == "and")
        if _is_cardinal(tokens, rest):
            more, after = _below_hundred(tokens, rest)
            value += more
    return value, after


def _below_hundred(tokens: Sequence[Token], at: int) -> tuple[float, int]:
    value, after = NUMBERS[tokens[at].text], at + 1
    if 20 <= value < 100 and _is_cardinal(tokens, after) and 1 <= NUMBERS[tokens[after].text] <= 9:
        return value + NUMBERS[tokens[after].text], after + 1
    return value, after


def _is_cardinal(tokens: Sequence[Token], at: int) -> bool:
    word = text_at(tokens, at)
    return word in NUMBERS and word not in _NO_CARDINALS
