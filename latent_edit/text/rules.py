"""A rule of text normalisation: a pattern, and the words that it is read as."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from latent_edit.text.record import Record

Verbalise = Callable[[re.Match[str]], str]


class Rule(NamedTuple):
    """Every match of the pattern is replaced by the words; a match that is returned whole stays for later rules."""

    pattern: re.Pattern[str]
    words: Verbalise


def rule(pattern: str, words: Verbalise, flags: int = 0) -> Rule:
    """A rule from the source of its pattern."""
    return Rule(re.compile(pattern, flags), words)


def apply(rules: Sequence[Rule], text: str) -> str:
    """The text after all rules, each over what the ones before it left."""
    for pattern, words in rules:
        text = pattern.sub(words, text)
    return text


def spelt(letters: str, record: Record | None = None) -> str:
    """Letters to be read one by one: "MIT" -> "M-I-T"."""
    if record is not None:
        record.spell(letters)
    return "-".join(x.upper() for x in letters if x.isalnum())
