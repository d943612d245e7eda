"""A prompt's units from left to right: negations, contrasts and words of intensity act on the expressions near them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from latent_edit.axes import AXES
from latent_edit.prompts.axis_names import axis_with_direction
from latent_edit.prompts.grammar import Unit, word_of
from latent_edit.prompts.lexicon import FLOORS, Word, load_lexicon
from latent_edit.prompts.reading import OutOfScope
from latent_edit.prompts.state import Item, State
from latent_edit.prompts.words import prompt_words

AGREE = -0.2  # cosine below which a denied expression and the next one are alternatives ("don't shout and whisper")
HELD = 0.75  # of its strongest axis: on what is as strong, a denied expression may not come back through another one
BROAD = 4  # so many axes are a mood, of which no single one is held
REDUCED, WEAKENED, COMPLAINED, WANTED = -0.5, 0.6, -0.8, 0.8
LEAST, MOST = 0.3, 1.8  # of words of intensity taken together
BOUNDS = frozenset(("stop", "comma", "contrast", "and", "or"))  # of a clause
TURNS = ("change", "turn", "switch", "move", "go", "convert", "transform", "shift", "changed", "turned")
ONE_MANNER = "An edit has one manner from its start to its end."
# Moods as actors express them, by concept; a denied one leaves the axes to what is asked for.
MANNER_OF = {
    "anger": "angry", "joy": "happy", "sadness": "sad", "fear": "fearful", "boredom": "bored", "disgust": "disgusted",
}  # fmt: skip
# Which expression of the lexicon more (+1) or less (-1) of an axis is.
ALONG_AXIS = {
    "pitch_semitones": ("high", "low"), "range_ratio_log2": ("expressive", "flat"), "pace_log_ratio": ("fast", "slow"),
    "level_db": ("loud", "quiet"), "tilt_db": ("bright", "dark"), "breathiness": ("breathy", ""),
    "tremor_semitones": ("trembling", ""),
}  # fmt: skip


class Scan:
    """Units from left to right; what stands before an expression acts on it."""

    def __init__(self, units: Sequence[Unit], state: State) -> None:
        self.units, self.state = list(units), state
        self.negation: float | None = None  # the factor that a negation in force gives; None without one
        self.since_negation = 0  # expressions since it began
        self.denied_axes: np.ndarray | None = None
        self.alternative = False  # a negation that "as" ends: "not so much sad as tired"
        self.intensity = 1.0
        self.pending = False  # a word of intensity that waits for its expression
        self.skip = 0

    def run(self) -> None:
        """Read all of them."""
        for at, unit in enumerate(self.units):
            if self.skip:
                self.skip -= 1
                continue
            self._read(at, unit)
        self._intensify_last()

    def _read(self, at: int, unit: Unit) -> None:
        if "stop" in unit or "comma" in unit:
            return self._pause(at, unit)
        if self._axis_compound(at):
            return None
        if self._as_intensity(at, unit):
            return None
        if unit.tokens[0].text in ("as", "than") and self._compares(at, unit):
            return None
        for role, act in (
            ("deny_earlier", self._deny_earlier), ("reverse", self._reverse), ("enough", self._enough),
            ("cancel", self._cancel), ("complaint", self._complain), ("affirm", self._affirm),
            ("reduce", self._reduce), ("weaken", self._weaken), ("negate", self._negate), ("and", self._and),
            ("or", self._or),
        ):  # fmt: skip
            if role in unit and act(at, unit):
                return None
        if "contrast" in unit and "term" not in unit:
            return self._contrast()
        if unit.text == "from" and self._is_source(at):
            return None
        if "term" in unit:
            return self._term(at, unit)
        if "neutral" in unit:
            self._neutral(unit)
        if "scope" in unit:
            self._scope(unit)
        return None

    # ---- what ends a clause ----
    def _pause(self, at: int, unit: Unit) -> None:
        self._intensify_last()
        if unit.text == "?" and self._is_denied(at):
            self._deny_earlier()  # "Sad? Not at all."
            self.skip = 1
        if "stop" in unit or not self._list_goes_on(at):
            self._end()
            self.state.clause += 1

    def _is_denied(self, at: int) -> bool:
        """Whether a clause that is "no" or the like answers a question; "whisper? No shouting." answers none."""
        answer = self.units[at + 1 : at + 2]
        beyond = self.units[at + 2 : at + 3]
        return any("answer" in unit for unit in answer) and all(BOUNDS & unit.roles.keys() for unit in beyond)

    def _end(self) -> None:
        self.negation, self.denied_axes, self.alternative, self.since_negation = None, None, False, 0
        self.intensity, self.pending = 1.0, False

    def _list_goes_on(self, at: int) -> bool:
        """Whether a comma stands in a list that a negation covers: "not loud, angry or fast"."""
        if self.negation is None or not self.since_negation:
            return self.negation is not None and not self.units[at].tokens[0].typed
        for unit in self.units[at + 1 :]:
            if "or" in unit:
                return True
            if not (
                "comma" in unit
                or "intensity" in unit
                or ("term" in unit and self._agrees(unit))
                or set(unit.roles) == {"filler"}
            ):
                return False
        return False

    def _agrees(self, unit: Unit) -> bool:
        """Whether an expression goes with the denied ones, rather than against them."""
        word = word_of(unit)
        if word is None or self.denied_axes is None:
            return True
        one, other = self.denied_axes / FLOORS, word.axes / FLOORS
        size = np.linalg.norm(one) * np.linalg.norm(other)
        return bool(size == 0 or one @ other / size >= AGREE)

    def _contrast(self) -> None:
        self._intensify_last()
        self._end()
        self.state.clause += 1

    def _and(self, at: int, _: Unit) -> bool:
        self._intensify_last()
        following = next((u for u in self.units[at + 1 :] if set(u.roles) - {"filler"} or "restart" in u), None)
        nearest = self.units[at + 1] if at + 1 < len(self.units) else None
        restarts = (nearest is not None and "restart" in nearest) or (
            following is not None and not self._agrees(following)
        )
        if restarts or (self.negation is not None and self.negation < 0):
            self._end()
            self.state.clause += 1
        return True

    def _or(self, at: int, unit: Unit) -> bool:
        if unit.text == "nor":
            return self._negate(at, unit)
        return "term" not in unit

    # ---- negation ----
    def _negate(self, at: int, unit: Unit) -> bool:
        following = self.units[at + 1] if at + 1 < len(self.units) else None
        if unit.text == "no" and following is not None and ("comma" in following or "stop" in following):
            return True  # "no, whisper"
        if "term" in unit and following is not None and "axis" not in following and unit.text not in ("stop",):
            return False
        if unit.text in ("instead of", "in place of", "rather than"):
            self._end()
        self.state.changed = True
        if self.negation == 0 and not self.since_negation and unit.text not in ("nor", "neither"):
            self.negation = None  # "don't stop shouting"
            return True
        self.negation, self.since_negation, self.denied_axes = 0.0, 0, None
        self.intensity, self.pending = 1.0, False
        return True

    def _cancel(self, *_: object) -> bool:
        self._end()
        return True

    def _affirm(self, _at: int, unit: Unit) -> bool:
        if self.negation == 0 and not self.since_negation:
            self.negation = None
            return True
        return "term" not in unit and unit.text != "but" and "contrast" not in unit

    def _reduce(self, at: int, unit: Unit) -> bool:
        self.state.changed = True
        if unit.text.endswith("less") and not self._expression_follows(at):
            return self._scale_last(1.0, REDUCED)  # "shout less"
        if self.negation == 0 and not self.since_negation:
            self.negation = None  # "don't reduce"
            return True
        self.alternative = unit.text == "not so much" and any(u.tokens[0].text == "as" for u in self.units[at:])
        self.negation, self.since_negation, self.denied_axes = 0.0 if self.alternative else REDUCED, 0, None
        return True

    def _complain(self, *_: object) -> bool:
        self.state.changed = True
        self.negation, self.since_negation, self.denied_axes = COMPLAINED, 0, None
        return True

    def _enough(self, *_: object) -> bool:
        """ "Not loud enough" wants more of it."""
        return self._scale_last(0.0, WANTED)

    def _reverse(self, at: int, _: Unit) -> bool:
        """ "Not happy, quite the contrary" wants the opposite, unless that is said: "on the contrary, slow"."""
        if not any("term" in unit for unit in self.units[at + 1 :]):
            self._scale_last(0.0, REDUCED)
        return True

    def _scale_last(self, now: float, factor: float) -> bool:
        """The last expression by another factor, if it has not yet been denied (1) or is denied (0)."""
        items = self.state.items
        if items and (items[-1].factor > 0) == (now > 0):
            self.state.changed = True
            items[-1] = replace(items[-1], factor=(items[-1].factor or 1.0) * factor)
            for name, typed in list(self.state.held.items()):
                if typed[-1] == items[-1].typed:
                    del self.state.held[name]
        return True

    def _compares(self, at: int, unit: Unit) -> bool:
        """What stands on the other side of a comparison: "more relaxed than sleepy", "not so much sad as tired"."""
        if unit.tokens[0].text == "as":
            ends_negation = self.alternative and self.since_negation > 0
            if ends_negation:
                self._contrast()
            return ends_negation
        bounds = (i for i in range(at) if BOUNDS & self.units[i].roles.keys() and self.units[i].text != "rather")
        earlier = self.units[max(bounds, default=-1) + 1 : at]
        is_choice = any(u.tokens[0].text in ("more", "rather") for u in earlier)
        if not is_choice or not any("term" in u for u in earlier):
            return False
        end = next((i for i in range(at + 1, len(self.units)) if BOUNDS & self.units[i].roles.keys()), len(self.units))
        self.skip, self.state.changed = end - at - 1, True
        return True

    def _weaken(self, at: int, _: Unit) -> bool:
        if not self._expression_follows(at):
            return False
        self.state.changed = True
        self.intensity *= WEAKENED
        self.pending = True
        return True

    def _deny_earlier(self, *_: object) -> bool:
        """ "Shouting is forbidden"."""
        state = self.state
        state.changed = True
        for n, item in enumerate(state.items):
            if item.clause == state.clause:
                state.items[n] = replace(item, factor=0.0)
                self._hold(item.word, item.typed)
        self._end()
        return True

    def _hold(self, word: Word, typed: str) -> None:
        """The axes on which a denied expression is strongest may not move its way."""
        floors = np.abs(word.axes) / FLOORS
        if np.count_nonzero(floors) >= BROAD or not floors.any() or word.concept in MANNER_OF:
            return
        for name, size in zip(AXES, floors, strict=True):
            if size >= HELD * floors.max():
                self.state.held[name] = (*self.state.held.get(name, ()), typed)

    # ---- intensity ----
    def _expression_follows(self, at: int) -> bool:
        for unit in self.units[at + 1 :]:
            if {"term", "intensity", "axis"} & unit.roles.keys():
                return True
            if set(unit.roles) - {"filler", "restart"}:
                return False
        return False

    def _as_intensity(self, at: int, unit: Unit) -> bool:
        if "intensity" not in unit:
            return False
        if "excess" in unit and self._is_whole_clause(at):
            self.intensity *= float(unit.roles["intensity"]) if unit.text != "too" else 1.0
            return self._complain()  # "too loud"
        if (
            "term" in unit or "contrast" in unit or "reduce" in unit
        ):  # "deeply sad", but "deeply and slowly"; "rather", "even"
            following = self.units[at + 1] if at + 1 < len(self.units) else None
            if following is None or not {"term", "intensity"} & following.roles.keys() or "reduce" in unit:
                return False
            word = word_of(following)
            if word_of(unit) is not None and not unit.text.endswith("ly") and (word is None or word.form != "state"):
                return False  # "deep sadness", but "deep male voice"
        if not self._expression_follows(at) and not self.state.items:
            return True
        self.intensity *= float(unit.roles["intensity"])
        self.pending = True
        return True

    def _is_whole_clause(self, at: int) -> bool:
        """Whether a clause is a word of intensity and what it intensifies, alone."""

        def until_bound(units: Sequence[Unit]) -> list[Unit]:
            ends = (n for n, unit in enumerate(units) if BOUNDS & unit.roles.keys())
            return list(units[: next(ends, len(units))])

        before, after = until_bound(self.units[:at][::-1]), until_bound(self.units[at + 1 :])
        said = [unit for unit in after if "term" in unit]
        return (
            all("intensity" in unit for unit in before)
            and bool(said)
            and all(word.form in ("adj", "adv") for unit in said if (word := word_of(unit)) is not None)
            and all({"term", "intensity", "filler"} & unit.roles.keys() for unit in after)
        )

    def _intensify_last(self) -> None:
        """A word of intensity after its expression: "angry, but only slightly", "louder a lot"."""
        items = self.state.items
        if self.pending and items and items[-1].factor > 0:
            items[-1] = replace(items[-1], factor=_within(items[-1].factor * self.intensity))
            self.state.changed = True
        self.intensity, self.pending = 1.0, False

    # ---- expressions ----
    def _is_source(self, at: int) -> bool:
        """ "From a dramatic style to a flat one": what comes before "to" is not asked for."""
        ends = [i for i, unit in enumerate(self.units) if i > at and unit.tokens[0].text == "to"]
        between = [unit for unit in self.units[at + 1 : ends[0]] if "term" in unit] if ends else []
        if not between or not any({"term", "neutral"} & unit.roles.keys() for unit in self.units[ends[0] :]):
            return False
        self.state.changed = True
        if any(unit.text in TURNS for unit in self.units[:at]):
            self.skip = ends[0] - at - 1
        else:
            self.state.notes.append(f"{ONE_MANNER} Only what comes first is taken.")
            del self.units[ends[0] :]
        return True

    def _term(self, at: int, unit: Unit) -> None:
        word = word_of(unit)
        assert word is not None
        following = self.units[at + 1] if at + 1 < len(self.units) else None
        if word.form == "adj" and following is not None and "scope" in following and "term" not in following:
            self.intensity, self.pending = 1.0, False
            self.state.changed = True
            return  # "long pauses", "a strong accent"
        if unit.taken_as is None and not _caption_words().issuperset(prompt_words(unit.text)):
            self.state.changed = True  # a saying in words that the CLAP has never read: "over the moon"
        self._add(word, unit.typed or word.text)
        if "scope" in unit:
            self._scope(unit, effect=True)
        if "another_speaker" in unit:
            self.state.speakers.append(unit.typed)

    def _add(self, word: Word, typed: str) -> None:
        factor = _within(self.intensity)
        if self.negation is not None:
            factor = self.negation * (factor if self.negation else 1.0)
            self.denied_axes = word.axes if self.denied_axes is None else self.denied_axes + word.axes
            self.since_negation += 1
            if self.negation == 0 and word.concept == "expressive" and word.form == "state":
                word, factor = word_named("flat"), 1.0  # "hardly any emotion"
            elif self.negation == 0:
                self._hold(word, typed)
        if factor != 1.0 or (typed.lower() not in (word.text, "") and prompt_words(typed) != prompt_words(word.text)):
            self.state.changed = self.state.changed or factor != 1.0
        self.state.items.append(Item(word, typed, factor, self.state.clause))
        self.intensity, self.pending = 1.0, False

    def _neutral(self, unit: Unit) -> None:
        word = unit.roles["neutral"]
        if word.form not in ("verb", "doing") and self.negation is None:
            self.state.said_neutral = True

    def _scope(self, unit: Unit, effect: bool = False) -> None:
        if self.negation == 0:
            self.state.changed = True
            return  # "no pauses" asks for nothing that an edit would do
        self.state.out_of_scope.append(OutOfScope(unit.typed, unit.roles["scope"], effect))
        self.state.changed = self.state.changed or not effect

    # ---- axes by their names ----
    def _axis_compound(self, at: int) -> bool:
        """ "Low volume", "raise the pitch", "the pace should be moderate"."""
        found = axis_with_direction(self.units, at)
        if found is None:
            return False
        axis, direction, taken = found
        typed = " ".join(u.typed for u in self.units[at : at + taken] if not set(u.roles) <= {"filler"})
        self.skip = taken - 1
        self.state.changed = True
        if direction == 0:
            if self.negation is None:
                self.state.held[axis] = (*self.state.held.get(axis, ()), typed)
                self.state.said_neutral = True
            return True
        word = word_named(ALONG_AXIS[axis][0 if direction > 0 else 1] or ALONG_AXIS[axis][0])
        if not ALONG_AXIS[axis][1] and direction < 0:
            self.state.held[axis] = (*self.state.held.get(axis, ()), typed)
            return True
        self._add(word, typed)
        return True


@lru_cache(maxsize=1)
def _caption_words() -> frozenset[str]:
    return load_lexicon().trained_words()


@lru_cache(maxsize=64)
def word_named(text: str) -> Word:
    """The word of the lexicon that is written so."""
    return next(
        word for words in load_lexicon().words.values() for word in words if word.text == text and not word.held_out
    )


def _within(factor: float) -> float:
    return min(max(factor, LEAST), MOST)


def is_about(word: Word, index: int) -> bool:
    """Whether an axis is one of those on which an expression is strongest."""
    floors = np.abs(word.axes) / FLOORS
    return bool(floors[index] >= HELD * floors.max())
