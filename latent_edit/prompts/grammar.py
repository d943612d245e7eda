"""The small words of prompts (presets/prompt-grammar.yaml), and the search for them and the lexicon's expressions."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from latent_edit.config import PRESETS, read_yaml
from latent_edit.prompts.lexicon import FORMS, Word, load_lexicon
from latent_edit.prompts.tokens import Token
from latent_edit.prompts.words import prompt_words, stems

LISTS = (
    "negate", "affirm", "cancel", "reduce", "weaken", "deny_earlier", "contrast", "restart", "sequence",
    "another_speaker",
    "up", "down", "same", "length", "complaint", "excess", "enough", "reverse", "answer",
)  # fmt: skip
LEAST_STEMMED = 4  # letters of a word that may be an inflection of a known one
LEAST_TYPO, TYPO_RATIO, SHORT_TYPO_RATIO, SHORT = 4, 0.8, 0.85, 5  # of difflib; short words have too many neighbours
INFLECTIONS = ("s", "es", "ed", "d", "ing", "ly", "ness")
MAX_REPEATED = re.compile(r"(.)\1{2,}")  # "sooo", "louuud"
DOUBLED = re.compile(r"(.)\1")
Key = tuple[str, ...]


@dataclass(frozen=True)
class Unit:
    """Adjacent tokens that mean something together. roles: what they can be, with what belongs to it."""

    tokens: tuple[Token, ...]
    roles: Mapping[str, Any]
    taken_as: str | None = None  # the known words that others are taken as: misspelt ones, or inflections

    @property
    def typed(self) -> str:
        """As it was written."""
        return " ".join(token.typed for token in self.tokens)

    @property
    def text(self) -> str:
        """As it was matched."""
        return " ".join(token.text for token in self.tokens)

    def __contains__(self, role: str) -> bool:
        return role in self.roles


@dataclass
class Grammar:
    """entries: by their words, roles with what belongs to them; by_stem: the same, by any stem of their first word."""

    entries: dict[Key, dict[str, Any]] = field(default_factory=dict)
    by_stem: dict[str, list[Key]] = field(default_factory=dict)
    misspelt: dict[str, str] = field(default_factory=dict)  # words of their own that are rather misspelt others
    longest: int = 1

    def add(self, expression: str, role: str, content: Any = True) -> None:
        """An expression in a role; the first content of a role stays."""
        key = tuple(prompt_words(expression))
        self.entries.setdefault(key, {}).setdefault(role, content)
        self.longest = max(self.longest, len(key))

    def finish(self) -> None:
        """Once everything is there: the index by stems, for expressions of the lexicon."""
        for key, roles in self.entries.items():
            if roles.keys() & {"term", "scope"}:
                for stem in stems(key[0]):
                    self.by_stem.setdefault(stem, []).append(key)

    def units(self, tokens: Sequence[Token]) -> list[Unit]:
        """The tokens in their longest known expressions; what is unknown stands alone and has no role."""
        found, at = [], 0
        while at < len(tokens):
            unit = self._at(tokens, at)
            found.append(unit)
            at += len(unit.tokens)
        return found

    def _at(self, tokens: Sequence[Token], at: int) -> Unit:
        if tokens[at].kind != "word":
            return Unit((tokens[at],), {tokens[at].kind: True})
        words = [token.text for token in tokens[at : at + self.longest] if token.kind != "number"]
        for count in range(min(self.longest, _run(tokens, at)), 0, -1):
            if roles := self.entries.get(tuple(words[:count])):
                return Unit(tuple(tokens[at : at + count]), roles)
            if key := self._inflected(words[:count]):
                kept = {role: content for role, content in self.entries[key].items() if role in ("term", "scope")}
                return Unit(tuple(tokens[at : at + count]), kept, " ".join(key))
        return Unit((tokens[at],), {"negate": True} if re.search(r"n['’`]t$", tokens[at].typed.lower()) else {})

    def _inflected(self, words: Sequence[str]) -> Key | None:
        """The shortest expression of which these words are inflections."""
        if len(words) == 1 and (len(words[0]) < LEAST_STEMMED or is_doing(words[0])):
            return None
        keys = {
            key
            for stem in stems(words[0])
            for key in self.by_stem.get(stem, ())
            if len(key) == len(words) and all(_related(a, b) for a, b in zip(key, words, strict=True))
        }
        return min(keys, key=lambda key: (sum(map(len, key)), key), default=None)

    def spelt_nearly(self, word: str) -> str | None:
        """The known word that this one is a misspelling of, perhaps."""
        if word in self.misspelt:
            return self.misspelt[word]
        single = MAX_REPEATED.sub(r"\1", word), MAX_REPEATED.sub(r"\1\1", word)
        known = self.words
        if word not in single:
            return next((w for w in (*single, *_close(single[0], known)) if w in known), None)
        return next(iter(_close(word, known)), None)

    @property
    def words(self) -> frozenset[str]:
        """Every single word of every expression, except those without a meaning."""
        return _single_words()


def _close(word: str, known: Iterable[str]) -> list[str]:
    if len(word) < LEAST_TYPO:
        return []
    ratio = SHORT_TYPO_RATIO if len(word) <= SHORT else TYPO_RATIO
    nearest = difflib.get_close_matches(word, [w for w in known if abs(len(w) - len(word)) <= 2], n=8, cutoff=0.6)
    doubled = [w for w in nearest if DOUBLED.sub(r"\1", w) == DOUBLED.sub(r"\1", word)]  # "hapyy"
    swapped = [w for w in nearest if len(w) == len(word) and sorted(w) == sorted(word) and w[0] == word[0]]
    nearest = [w for w in nearest if w[0] == word[0]]
    good = [w for w in nearest if difflib.SequenceMatcher(None, word, w).ratio() >= ratio and len(w) >= LEAST_TYPO]
    return [*doubled, *swapped, *good]


def _related(known: str, word: str) -> bool:
    """Whether one is an inflection of the other, or both are of a third ("shivers", "shivering").

    Not of any other kind: "wisper" is nearer to "whisper" than to "wispy".
    """
    if known == word:
        return True
    if min(len(known), len(word)) < LEAST_STEMMED:
        return False
    if known in stems(word) or word in stems(known):
        return True
    return any(known[len(s) :] in INFLECTIONS and word[len(s) :] in INFLECTIONS for s in stems(known) & stems(word))


def _run(tokens: Sequence[Token], at: int) -> int:
    """How many words follow each other from here on."""
    count = 0
    while at + count < len(tokens) and tokens[at + count].kind == "word":
        count += 1
    return count


@lru_cache(maxsize=1)
def load_grammar() -> Grammar:
    """The grammar with all expressions of the lexicon that are not held out."""
    content, lexicon, grammar = read_yaml(PRESETS / "prompt-grammar.yaml"), load_lexicon(), Grammar()
    terms = {word.text: word for form in reversed(FORMS) for word in lexicon.words[form] if not word.held_out}
    for text, word in terms.items():
        grammar.add(text, "neutral" if word.concept == "neutral" else "term", word)
    for saying, meaning in content["sayings"].items():
        word = terms[meaning]
        grammar.add(saying, "neutral" if word.concept == "neutral" else "term", word)
    for role in LISTS:
        for expression in content[role]:
            grammar.add(expression, role)
    for pattern, factor in _intensities(lexicon.intensities, content["intensity"]):
        grammar.add(pattern, "intensity", factor)
    for axis, nouns in content["axes"].items():
        for noun in nouns:
            grammar.add(noun, "axis", axis)
    for about, expressions in content["out_of_scope"].items():
        for expression in expressions:
            grammar.add(expression, "scope", about)
    for expression in content["fillers"]:
        grammar.add(expression, "filler")
    for word_without in [*lexicon.stop_words, *prompt_words(content["no_meaning"])]:
        grammar.add(word_without, "filler")
    grammar.misspelt = content["misspelt"]
    for role in ("or", "and"):
        grammar.add(role, role)
    grammar.add("nor", "or")
    grammar.finish()
    return grammar


def _intensities(by_form: Mapping[str, Mapping[str, float]], further: Mapping[str, float]) -> list[tuple[str, float]]:
    """Words of intensity that stand before what they intensify."""
    own = [
        (pattern.replace("%", "").strip(), factor)
        for form in ("adj", "adv", "state", "more")
        for pattern, factor in by_form[form].items()
        if pattern.endswith("%")
    ]
    return [*further.items(), *own]


@lru_cache(maxsize=1)
def _single_words() -> frozenset[str]:
    entries = load_grammar().entries
    return frozenset(w for key, roles in entries.items() if roles.keys() - {"filler"} for w in key)


@lru_cache(maxsize=1)
def _everyday() -> tuple[frozenset[str], frozenset[str]]:
    content = read_yaml(PRESETS / "prompt-grammar.yaml")
    return frozenset(content["things"].split()), frozenset(content["doings"].split())


def is_doing(word: str) -> bool:
    """Whether a word, or what it is an inflection of, is a doing of every day, which no voice sounds like."""
    is_inflected = word.endswith(("s", "ed", "ing")) and not word.endswith("ss")
    return any(stem == word or is_inflected for stem in stems(word) & _everyday()[1])


def says_nothing(word: str) -> bool:
    """Whether a word is never taken as an expression: an everyday one, or one that only joins others."""
    is_thing = not _everyday()[0].isdisjoint((word, word.removesuffix("s")))
    return is_thing or is_doing(word) or load_grammar().entries.get((word,), {}).keys() == {"filler"}


def word_of(unit: Unit) -> Word | None:
    """The expression of the lexicon that a unit is, if any."""
    word: Word | None = unit.roles.get("term")
    return word
