"""The words of a prompt as the embedded CLAP reads them, and which of them it has never learnt."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from functools import lru_cache

# Endings of English inflection and derivation, with what they may have replaced ("happily": happy, "hoping": hope).
_ENDINGS = (
    ("ily", "y"), ("iest", "y"), ("ier", "y"), ("ied", "y"), ("ies", "y"), ("iness", "y"),
    ("ly", ""), ("est", ""), ("est", "e"), ("er", ""), ("er", "e"), ("ed", ""), ("ed", "e"),
    ("ing", ""), ("ing", "e"), ("ness", ""), ("es", ""), ("s", ""), ("y", ""), ("y", "e"),
)  # fmt: skip
_SHORTEST_STEM = 3


def prompt_words(text: str) -> list[str]:
    """Lower-case words without accents, apostrophes and punctuation: "Don't SHOUT, café!" -> dont shout cafe."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))
    return re.findall(r"[a-z0-9]+", re.sub(r"['’`]", "", plain))


@lru_cache(maxsize=65536)
def stems(word: str) -> frozenset[str]:
    """The word and what it may be an inflection of: "angrily" -> angrily, angry, angri."""
    found = {word}
    for ending, replaced in _ENDINGS:
        stem = word[: -len(ending)]
        if word.endswith(ending) and len(stem) >= _SHORTEST_STEM:
            found.add(stem + replaced)
            if not replaced and stem[-1] == stem[-2]:
                found.add(stem[:-1])  # "sobbing"
    return frozenset(found)


def split_known(prompt: str, known: Collection[str]) -> tuple[list[str], list[str]]:
    """(words of the prompt that are known, words that are not), in their order, the latter without repetition.

    A word counts as known if it or a plain inflection of it is in `known`: "whispers", "sadder", "angriest". An
    inflection that was not learnt in this form is replaced by the known word that it comes from.
    """
    by_stem = _stem_index(frozenset(known))
    understood: list[str] = []
    unknown: dict[str, None] = {}
    for word in prompt_words(prompt):
        # A stem that is itself a known word is the closest relative, then the longest stem.
        relatives = sorted(stems(word) & by_stem.keys(), key=lambda stem: (stem not in known, -len(stem), stem))
        if word in known:
            understood.append(word)
        elif relatives:
            understood.append(by_stem[relatives[0]])
        else:
            unknown[word] = None
    return understood, list(unknown)


@lru_cache(maxsize=4)
def _stem_index(known: frozenset[str]) -> dict[str, str]:
    """Known word for each stem; where several share one, the shortest, then the first of the alphabet."""
    index: dict[str, str] = {}
    for word in sorted(known, key=lambda w: (len(w), w), reverse=True):
        index.update(dict.fromkeys(stems(word), word))
    return index
