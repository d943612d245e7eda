"""The prompt reader: from words to what they ask for. An explicit grammar over the lexicon, not a network.

A prompt is cut into units (`grammar`). Numbers become values of an axis (`amounts`). The rest is read from left to
right: negations, contrasts and words of intensity act on the lexicon's expressions within their clause. What stays is
composed as captions are (`lexicon.compose`) and given to the CLAP in words that it knows; what is denied is left out.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Protocol, runtime_checkable

import numpy as np

from latent_edit.axes import AXES
from latent_edit.config import load_styles
from latent_edit.manners import Manner, load_manners
from latent_edit.prompts.amounts import PACE, Amount, amounts
from latent_edit.prompts.grammar import INFLECTIONS, Grammar, Unit, load_grammar
from latent_edit.prompts.lexicon import FLOORS, MAXIMA, MINIMA, compose, load_lexicon
from latent_edit.prompts.numbers import NUMBERS
from latent_edit.prompts.reading import AskedAxis, OutOfScope, PromptReading, Substitution
from latent_edit.prompts.scan import ALONG_AXIS, MANNER_OF, ONE_MANNER, Scan, is_about
from latent_edit.prompts.state import Item, State
from latent_edit.prompts.tokens import Token, faces_in_words, is_latin, tokenize
from latent_edit.prompts.words import prompt_words

NEUTRAL_TEXT = "speak normally"
TEXT_INTENSITIES = (
    (0.45, "barely"),
    (0.6, "slightly"),
    (0.8, "somewhat"),
    (1.2, ""),
    (1.35, "really"),
    (1.5, "very"),
    (9.0, "extremely"),
)
COMPARATIVE_INTENSITIES = ((0.8, "slightly"), (1.25, ""), (9.0, "much"))
EMOTIONS = {
    "anger": "anger", "stern": "sternness", "sadness": "sadness", "weeping": "weeping", "despair": "despair",
    "joy": "joy",
    "excitement": "excitement", "surprise": "surprise", "fear": "fear", "panic": "panic", "nervous":
    "nervousness", "shy": "shyness",
    "shame": "shame", "calm": "calm", "tenderness": "tenderness", "boredom": "boredom", "tired": "tiredness",
    "pain": "pain",
    "contempt": "contempt", "disgust": "disgust",
    "relief": "relief", "confident": "confidence", "serious": "seriousness", "friendly":
    "friendliness",
    "urgent": "urgency", "impatient": "impatience", "dramatic": "drama", "spooky": "mystery", "villain": "menace",
}  # fmt: skip
MANNER_SIZES = (0.3, 1.3)
CHILD, TEENAGER, GROWN, OLD = 13, 18, 60, 85
PULL = 1.25  # floors; two expressions that pull one axis so far both ways contradict each other


@runtime_checkable
class Vocabulary(Protocol):
    """Whoever knows words outside the lexicon."""

    def knows(self, word: str) -> bool:
        """Whether it is a word; if not, it may be a misspelt one."""

    def nearest(self, word: str) -> str | None:
        """The lexicon's expression that is nearest in meaning; None where none is near."""


def read_prompt(
    prompt: str, vocabulary: Vocabulary | None = None, manners: Mapping[str, Manner] | None = None
) -> PromptReading:
    """What a prompt asks for.

    vocabulary: for words outside the lexicon; without it they are not understood. manners: by name, as actors express
    an emotion; by default those of `manners.load_manners`.
    """
    said, faces = faces_in_words(prompt)
    style = _presets().get(" ".join(prompt_words(said)))
    tokens, grammar, state = tokenize(said), load_grammar(), State()
    tokens, other = _latin(tokens, state)
    state.notes = [*faces, *other]
    numbers = amounts(tokens)
    tokens = _after_first(_with_ages(_without(tokens, numbers), state), grammar, state)
    units = [known for unit in grammar.units(tokens) for known in _known(unit, grammar, vocabulary, state)]
    Scan(units, state).run()
    _settle(state)
    composed = compose(np.stack([i.axes for i in state.items])) if state.items else np.zeros(len(AXES))
    manners = load_manners() if manners is None else manners
    manner, size = (None, 0.0) if style is not None else _manner(state.items, manners)
    if manner is not None:
        composed = _acted(manners[manner], size, composed)
    if style is not None and not numbers:
        composed = style
    axes = _axes(composed, numbers, state)
    state.notes += [*_contradictions(state), *_number_notes(numbers)]
    if prompt.strip() and not prompt_words(said) and not state.notes:
        state.notes.append("There are no words in it: say in words how it should sound.")
    asked = [item for item in state.items if item.factor]
    understood = bool(state.items or state.held or state.said_neutral or any(a.axis for a in numbers))
    text = _text(said, asked, numbers, state)
    return PromptReading(
        prompt, text, axes, _emotion(state.items), manner, size, understood,
        denied=tuple(dict.fromkeys(item.word.text for item in state.items if not item.factor)),
        substitutions=tuple(dict.fromkeys(state.substitutions)), not_understood=tuple(dict.fromkeys(state.unknown)),
        out_of_scope=tuple(dict.fromkeys(state.out_of_scope)), notes=tuple(dict.fromkeys(state.notes)),
    )  # fmt: skip


@lru_cache(maxsize=1)
def _presets() -> dict[str, np.ndarray]:
    """The axes of the presets, which mean exactly what presets/styles.yaml says."""
    return {
        " ".join(prompt_words(prompt)): np.array([axes.get(name, 0.0) for name in AXES])
        for prompt, axes in load_styles().items()
    }


def _latin(tokens: Sequence[Token], state: State) -> tuple[list[Token], list[str]]:
    """Without what is written in other letters, and a note about it."""
    other = [token.typed for token in tokens if token.kind == "word" and not is_latin(token.typed)]
    if not other:
        return list(tokens), []
    state.changed = True
    kept = [token for token in tokens if token.kind != "word" or is_latin(token.typed)]
    return kept, [f"Only English is understood: {' '.join(other)!r} has no effect."]


def _without(tokens: Sequence[Token], numbers: Sequence[Amount]) -> list[Token]:
    """The tokens that no amount has used; a comma stands in for an amount, so that its neighbours stay apart."""
    used = {i for amount in numbers for i in amount.used}
    gap = Token(",", "", "comma")
    return [gap if i in used else token for i, token in enumerate(tokens) if i not in used or i - 1 not in used]


def _with_ages(tokens: list[Token], state: State) -> list[Token]:
    """ "Ten years old" as the age of the lexicon that it is."""
    kept: list[Token] = []
    at = 0
    while at < len(tokens):
        words = [token.text for token in tokens[at : at + 5]]
        age, count = _age(words)
        if age is None:
            kept.append(tokens[at])
            at += 1
            continue
        typed = " ".join(token.typed for token in tokens[at : at + count])
        state.changed = True
        state.speakers.append(typed)
        meant = (
            "child"
            if age < CHILD
            else "teenager"
            if age < TEENAGER
            else ""
            if age < GROWN
            else "very old man"
            if age >= OLD
            else "old"
        )
        kept += [Token(word, typed if n == 0 else "", "word") for n, word in enumerate(meant.split())]
        at += count
    return kept


def _age(words: Sequence[str]) -> tuple[float | None, int]:
    """An age that begins here and how many words it takes."""
    for count in (1, 2):
        numbers = [float(w) if w.replace(".", "").isdigit() else NUMBERS.get(w) for w in words[:count]]
        if len(numbers) < count or any(n is None for n in numbers) or words[0] in ("a", "an", "few", "couple"):
            return None, 0
        rest = words[count:]
        age = float(sum(n or 0 for n in numbers))
        if len(rest) >= 2 and rest[0].rstrip("s") in ("year", "yr") and rest[1] in ("old", "olds"):
            return age, count + 2
        if len(rest) >= 3 and rest[0].rstrip("s") in ("year", "yr") and rest[1:3] == ["of", "age"]:
            return age, count + 3
    return None, 0


def _after_first(tokens: list[Token], grammar: Grammar, state: State) -> list[Token]:
    """Of a sequence ("first a whisper, then a shout") what comes first."""
    units = grammar.units(tokens)
    marks = [i for i, unit in enumerate(units) if "sequence" in unit and "intensity" not in unit]
    said = [i for i, unit in enumerate(units) if "term" in unit]
    later = [i for i in marks if any(term < i for term in said) and any(term > i for term in said)]
    if not marks:
        return tokens
    state.changed = True
    if later:
        state.notes.append(f"{ONE_MANNER} Only what comes first is taken.")
        units = units[: later[0]]
    else:
        state.notes.append(ONE_MANNER)
    marked = {id(unit) for unit in units if "sequence" in unit and "term" not in unit}
    return [token for unit in units if id(unit) not in marked for token in unit.tokens]


def _known(unit: Unit, grammar: Grammar, vocabulary: Vocabulary | None, state: State) -> list[Unit]:
    """A unit whose words are known: itself, or what an unknown word is taken as."""
    if unit.roles or unit.tokens[0].kind != "word":
        state.started = True
        if unit.taken_as and len(unit.tokens) == 1 and not unit.text.endswith(INFLECTIONS):
            is_word = vocabulary is not None and vocabulary.knows(unit.text)  # "calmy" is one, "angri" is not
            state.changed = True
            state.substitutions.append(Substitution(unit.typed, unit.taken_as, typo=not is_word))
        return [unit]
    token = unit.tokens[0]
    if len(token.text) < 2:
        return []
    is_word = vocabulary is not None and vocabulary.knows(token.text) and token.text not in grammar.misspelt
    meant, typo = vocabulary.nearest(token.text) if vocabulary and is_word else None, False
    if meant is None and not is_word:
        meant, typo = grammar.spelt_nearly(token.text), True
    if meant is None and token.typed[0].isupper() and state.started:
        state.changed = True
        state.out_of_scope.append(OutOfScope(token.typed, "another person's voice, or a name"))
        return []
    if meant is None:
        state.unknown.append(token.typed)
        state.changed = True
        return []
    state.changed = True
    found = grammar.units(tokenize(meant))
    if not any(role in found[0] for role in ("term", "neutral", "negate", "intensity", "scope", "axis")):
        state.unknown.append(token.typed)
        return []
    state.substitutions.append(Substitution(token.typed, meant, typo))
    return [replace(u, tokens=(token,), taken_as=meant) if n == 0 else u for n, u in enumerate(found)]


def _settle(state: State) -> None:
    """Of several words for one concept the strongest counts."""
    kept: dict[tuple[str, bool], Item] = {}
    for item in state.items:
        key = (item.word.concept, item.factor > 0)
        if key not in kept or np.abs(item.axes).max() > np.abs(kept[key].axes).max():
            kept[key] = item
    state.items = list(kept.values())
    if state.speakers:
        words = tuple(dict.fromkeys(state.speakers))
        state.out_of_scope.append(
            OutOfScope(
                ", ".join(words), "another person's age or sex: the voice stays, only its manner follows", effect=True
            )
        )


def _axes(composed: np.ndarray, numbers: Sequence[Amount], state: State) -> tuple[AskedAxis, ...]:
    """The seven axes, with the words from which they come."""
    exact = {a.axis: a for a in numbers if a.axis and not a.denied}
    held = {a.axis: a for a in numbers if a.axis and a.denied}
    asked = []
    for index, name in enumerate(AXES):
        value = float(composed[index])
        words = tuple(dict.fromkeys(i.typed for i in state.items if abs(i.axes[index]) >= FLOORS[index] / 4))
        if name in exact:
            asked.append(AskedAxis(name, exact[name].value, (exact[name].typed,), exact=True))
        elif name in state.held or name in held:
            asked.append(_held_axis(name, index, value, words, state))
        else:
            asked.append(AskedAxis(name, value if abs(value) >= 0.01 * FLOORS[index] else 0.0, words))
    return tuple(asked)


def _held_axis(name: str, index: int, value: float, words: tuple[str, ...], state: State) -> AskedAxis:
    """An axis that a denial, or a word like "moderate", keeps where it is, unless another expression is about it."""
    denied = [i for i in state.items if i.factor == 0 and i.word.axes[index]]
    narrowest = min((np.count_nonzero(i.word.axes) for i in denied), default=0)
    about = [
        i for i in state.items if i.factor and is_about(i.word, index) and np.count_nonzero(i.word.axes) <= narrowest
    ]
    if about and value:
        return AskedAxis(name, value, words)
    if denied and value and all(np.sign(i.word.axes[index]) != np.sign(value) for i in denied):
        return AskedAxis(name, value, words)
    return AskedAxis(name, 0.0, state.held.get(name, ()), exact=True)


def _contradictions(state: State) -> list[str]:
    """Expressions that pull one axis both ways, each at least by its floor's half."""
    notes = []
    for index, axis in enumerate(AXES.values()):
        up = [i for i in state.items if i.factor and i.axes[index] >= PULL * axis.floor]
        down = [i for i in state.items if i.factor and i.axes[index] <= -PULL * axis.floor]
        if up and down:
            one, other = (max(part, key=lambda i: abs(i.axes[index])) for part in (up, down))
            notes.append(
                f"{one.typed!r} and {other.typed!r} contradict each other: "
                f"they pull the {axis.title.lower()} in opposite directions."
            )
    return notes[:2]


def _number_notes(numbers: Sequence[Amount]) -> list[str]:
    notes = [f"{a.typed!r} has no effect: {a.remark}." for a in numbers if a.remark]
    for a in numbers:
        if a.limited and a.axis:
            limit = (
                f"{math.exp(a.value):.3g} times the length" if a.axis == PACE else f"{a.value:g} {AXES[a.axis].unit}"
            )
            notes.append(f"{a.typed!r} is beyond what an edit does; the limit is taken ({limit}).")
    return notes


def _emotion(items: Sequence[Item]) -> str | None:
    felt = [i for i in items if i.factor > 0 and i.word.concept in EMOTIONS]
    strongest = max(felt, key=lambda i: float(np.linalg.norm(i.axes / FLOORS)), default=None)
    return None if strongest is None else EMOTIONS[strongest.word.concept]


def _manner(items: Sequence[Item], known: Collection[str]) -> tuple[str | None, float]:
    """The manner, where no other expression is used or denied, and its size: 1 for a concept's first word.

    Denied moods do not count: "she isn't scared, she's furious".
    """
    items = [item for item in items if item.factor or item.word.concept not in MANNER_OF]
    manners = {MANNER_OF.get(item.word.concept) if item.factor > 0 else None for item in items}
    manner = manners.pop() if len(manners) == 1 else None
    if manner is None or manner not in known:
        return None, 0.0
    first = {word.concept: word for word in reversed(load_lexicon().words["adj"])}
    sizes = [np.linalg.norm(item.axes) / np.linalg.norm(first[item.word.concept].axes) for item in items]
    return manner, float(np.clip(max(sizes), *MANNER_SIZES))


def _acted(manner: Manner, size: float, composed: np.ndarray) -> np.ndarray:
    """The axes as they are acted; those that acted speech does not tell as composed."""
    axes = [
        size * manner.axes[name] if name in manner.axes else value for name, value in zip(AXES, composed, strict=True)
    ]
    return np.clip(axes, MINIMA, MAXIMA)


def _text(prompt: str, asked: Sequence[Item], numbers: Sequence[Amount], state: State) -> str:
    """What the CLAP is given: the prompt as it is where nothing in it was denied, replaced or counted."""
    if not (state.changed or numbers):
        return prompt
    parts = []
    for item in asked:
        if item.factor > 0:
            table = COMPARATIVE_INTENSITIES if item.word.form == "more" else TEXT_INTENSITIES
            strength = next(word for limit, word in table if item.factor < limit)
            parts.append(f"{strength} {item.word.text}".strip())
        elif (opposite := _opposite(item)) is not None:
            parts.append(f"slightly {opposite}")
    for amount in numbers:
        if amount.axis and not amount.denied and abs(amount.value) >= AXES[amount.axis].floor / 4:
            more = amount.value > 0 if amount.axis != PACE else amount.value < 0
            parts.append(ALONG_AXIS[amount.axis][0 if more else 1])
    return ", ".join(part for part in dict.fromkeys(parts) if part) or NEUTRAL_TEXT


def _opposite(item: Item) -> str | None:
    """The word along its strongest axis, the other way."""
    index = int(np.argmax(np.abs(item.axes) / FLOORS))
    name = list(AXES)[index]
    more = item.axes[index] > 0 if name != PACE else item.axes[index] < 0
    return ALONG_AXIS[name][0 if more else 1] or None
