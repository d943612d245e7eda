"""What a person asks for. An EditRequest that exists is well formed; only its names await the loaded checkpoints."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from latent_edit.axes import LIMITS
from latent_edit.errors import InputError

MAX_TEXT_CHARACTERS = 2_000
MAX_PROMPT_CHARACTERS = 300
MAX_SEED = 2**32 - 1  # a number that JavaScript and JSON keep exact
RANGES: dict[str, tuple[float, float]] = {  # smallest and largest allowed value of each number
    "guidance": (0.0, 10.0),
    "strength": (0.0, 1.5),
    "steps": (1, 100),
    "pace": (0.5, 2.0),
    "seed": (0, MAX_SEED),
    "prior_noise": (0.0, 2.0),
    "duration_noise": (0.0, 2.0),
}
WHOLE_NUMBERS = ("steps", "seed")
OPTIONAL = ("pace",)
CLIPS = ("reference", "recording")  # fields that name an audio file
# Of records of earlier versions: fields under other names, and fields that they do not have.
RENAMED = {"landing": "correction"}
ADDED = {"axes": None, "words": None}


@dataclass(frozen=True)
class EditRequest:
    """One edit: what to say, in which voice, and how it should sound.

    text (up to 2,000 characters) or, with text "", recording (an audio file of speech, which the voice resynthesises):
    exactly one of both. voice, decode_voice: names of voices; the second is only the decoder's, by default the
    same. prompt (up to 300 characters) or reference (an audio file in that style): exactly one of both. guidance: 0 to
    10, how strongly the style steers each step. strength: 0 to 1.5, how far to go from before (0) to the edit (1) and
    past it. steps: 1 to 100 of the sampler. pace: None lets the style decide; else the factor, 0.5 to 2, by which every
    duration is multiplied (2 is half as fast), whatever the strength. prior_noise, duration_noise: 0 to 2, liveliness
    of the plain synthesis. correction: False leaves Z' as the bridge makes it, also where the method has it brought to
    the axes of its style. axes: values by name (`axes.AXES`) that take the place of those that the prompt or the
    reference asks for; a given pace goes before its axis. words: first and last of the words that are changed, counted
    from 1 in the text as it is read; None changes all of them. Raises InputError naming the field.
    """

    text: str
    voice: str
    prompt: str = ""
    reference: Path | None = None
    decode_voice: str | None = None
    method: str = "i2sb"
    guidance: float = 1.0
    strength: float = 1.0
    steps: int = 10
    pace: float | None = None
    seed: int = 0
    prior_noise: float = 0.333
    duration_noise: float = 0.8
    correction: bool = True
    recording: Path | None = None
    axes: Mapping[str, float] | None = None
    words: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        self._check_source()
        for name in ("voice", "method"):
            _check_word(name, getattr(self, name))
        if self.decode_voice is not None:
            _check_word("decode_voice", self.decode_voice)
        self._check_style()
        if not isinstance(self.correction, bool):
            raise InputError(f"correction must be true or false, not {self.correction!r}")
        for name in RANGES:
            check_number(name, getattr(self, name))
        if self.axes is not None:
            object.__setattr__(self, "axes", checked_axes(self.axes))
        if self.words is not None:
            if self.recording is not None:
                raise InputError("single words can be changed of a text only: what a recording says is not known")
            object.__setattr__(self, "words", checked_words(self.words))

    def _check_source(self) -> None:
        if self.recording is None:
            check_text(self.text)
            return
        if self.text:
            raise InputError("a text and a recording were both given; give one of the two")
        object.__setattr__(self, "recording", Path(self.recording))

    def _check_style(self) -> None:
        if not isinstance(self.prompt, str):
            raise InputError(f"the prompt must be words, not {self.prompt!r}")
        if self.reference is not None:
            if self.prompt.strip():
                raise InputError("a prompt and a reference clip were both given; give one of the two")
            object.__setattr__(self, "reference", Path(self.reference))
        elif not self.prompt.strip():
            raise InputError('the prompt is empty; say how it should sound, for example "an angry shout"')
        _check_characters("prompt", self.prompt)
        if len(self.prompt) > MAX_PROMPT_CHARACTERS:
            raise InputError(
                f"the prompt has {len(self.prompt)} characters; the limit is {MAX_PROMPT_CHARACTERS}: shorten it"
            )

    def to_dict(self) -> dict[str, Any]:
        """Every field as plain JSON values."""
        values = asdict(self)
        return {**values, **{name: str(values[name]) for name in CLIPS if values[name] is not None}}

    @classmethod
    def from_json(cls, path: Path) -> EditRequest:
        """The request recorded in an edit.json. Raises InputError when it is not one."""
        content = {RENAMED.get(name, name): value for name, value in read_record(path)["request"].items()}
        content = {**ADDED, **content}
        known = {field.name for field in fields(cls)}
        if content.keys() != known:
            odd = ", ".join(sorted(content.keys() ^ known))
            raise InputError(f"the request in {path} does not have the fields of this version ({odd}); make a new edit")
        kept = {name: Path(path).parent / str(content[name]) for name in CLIPS if content[name] is not None}
        return cls(**{**content, **kept})  # clips lie beside the record, see EditResult.save


def read_record(path: Path) -> dict[str, Any]:
    """The content of an edit.json. Raises InputError when it is missing or something else."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path} as an edit.json; give the file that an edit wrote ({error})") from error
    if not isinstance(content, dict) or not all(isinstance(content.get(k), dict) for k in ("request", "provenance")):
        raise InputError(f"{path} is not the record of an edit; give the edit.json that an edit wrote")
    return content


def record_notes(record: dict[str, Any]) -> list[str]:
    """What to tell whoever opens the record of an earlier version, one line each."""
    return [
        f"This edit.json is of an earlier version, in which {name!r} was the name of {now!r} and guidance also decided "
        "how far it went. The edit may come out differently."
        for name, now in RENAMED.items()
        if name in record["request"]
    ]


def check_text(text: object) -> None:
    """Raises InputError when there is nothing to say, or more than 2,000 characters."""
    if not isinstance(text, str):
        raise InputError(f"the text must be words, not {text!r}")
    if not text.strip():
        raise InputError("the text is empty; write what should be said")
    _check_characters("text", text)
    if len(text) > MAX_TEXT_CHARACTERS:
        raise InputError(f"the text has {len(text)} characters; the limit is {MAX_TEXT_CHARACTERS}: shorten it")


def _check_characters(name: str, value: str) -> None:
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise InputError(f"the {name} contains broken characters (it is not UTF-8); type it again")


def _check_word(name: str, value: object) -> None:
    if not isinstance(value, str) or not value:
        raise InputError(f"{name} must be a name, not {value!r}")


def check_number(name: str, value: object) -> None:
    """Raises InputError unless `value` is a number of the right kind inside the range of the field `name`."""
    if value is None and name in OPTIONAL:
        return
    low, high = RANGES[name]
    whole = name in WHOLE_NUMBERS
    number = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    if not number or not low <= value <= high:  # type: ignore[operator]
        kind = "a whole number" if whole else "a number"
        raise InputError(f"{name} must be {kind} from {low:.12g} to {high:.12g}, not {value!r}")


def checked_axes(axes: object) -> dict[str, float] | None:
    """Values of style axes by name, in their units; None where there are none. Raises InputError naming the axis."""
    if not isinstance(axes, Mapping):
        raise InputError(f"axes must be values by name of an axis, not {axes!r}")
    for name, value in axes.items():
        low, high = LIMITS[choose("axis", str(name), LIMITS)]
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise InputError(f"the axis {name} must be a number from {low:.3g} to {high:.3g}, not {value!r}")
    return {str(name): float(value) for name, value in axes.items()} or None


def checked_words(words: object) -> tuple[int, int]:
    """First and last word, counted from 1. Raises InputError."""
    if isinstance(words, Sequence) and len(words) == 2:
        first, last = words
        if type(first) is int and type(last) is int and 1 <= first <= last:
            return first, last
    raise InputError(f"words must be the first and the last word to change, counted from 1, not {words!r}")


def parse_words(words: str) -> tuple[int, int] | None:
    """First and last word of "3-5" or "3"; None of an empty text. Raises InputError."""
    if not words.strip():
        return None
    found = re.fullmatch(r"\s*(\d{1,6})\s*(?:[-–]\s*(\d{1,6})\s*)?", words)
    if not found:
        raise InputError(f'words must be like "3-5" (from the third to the fifth) or "3", not {words!r}')
    return checked_words((int(found[1]), int(found[2] or found[1])))


def choose(kind: str, name: str, known: Iterable[str]) -> str:
    """`name` if it is one of `known`; otherwise InputError with the nearest name and the list of all."""
    known = list(known)
    if name in known:
        return name
    near = difflib.get_close_matches(name, known, n=1)
    suggestion = f"did you mean {near[0]!r}? " if near else ""
    raise InputError(f"there is no {kind} {name!r}; {suggestion}known: {', '.join(known) or 'none'}")
