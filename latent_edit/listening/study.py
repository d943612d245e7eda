"""A listening study as one strict YAML file: conditions, items, blocks of trials, and what participants are told."""

from __future__ import annotations

import hashlib
import itertools
import json
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from latent_edit.config import StrictModel, problems, read_yaml
from latent_edit.errors import InputError
from latent_edit.listening.conditions import Anchor, Condition, Name

STUDY_NAME = "study.yaml"

Test = Literal["ab", "abx", "ccr", "mos", "smos", "emos", "identify", "transcribe", "mushra", "multi"]
PAIRED: tuple[Test, ...] = ("ab", "abx", "ccr")
SINGLE: tuple[Test, ...] = ("mos", "emos", "identify", "transcribe")
SIDE_BY_SIDE: tuple[Test, ...] = ("mushra", "multi")
QUESTIONS: dict[Test, str] = {  # {prompt} and {text} are those of the item
    "ab": "Which sounds more like “{prompt}”?",
    "abx": "Is X the same as A or the same as B?",
    "ccr": "How is the quality of B compared with A?",
    "mos": "How natural does this sound?",
    "smos": "Is this the same speaker as in the reference?",
    "emos": "How well does this fit “{prompt}”?",
    "identify": "Which of these fits best?",
    "transcribe": "Type what you heard.",
    "mushra": "How close is each to the reference?",
    "multi": "How well does each fit “{prompt}”?",
}


class Item(StrictModel):
    """What is heard under every condition: a sentence in a voice, and the prompt. Texts of WAV folders may be ""."""

    id: Name
    text: str = ""
    voice: str = ""
    prompt: str = ""
    seed: int = Field(0, ge=0, le=2**32 - 1)


class Grid(StrictModel):
    """Items as prompts x voices; the texts are taken in turn. Ids are p1-v1, p1-v2, ..."""

    prompts: tuple[str, ...] = Field(min_length=1)
    voices: tuple[str, ...] = Field(min_length=1)
    texts: tuple[str, ...] = Field(min_length=1)
    seed: int = 0

    def items(self) -> tuple[Item, ...]:
        """All combinations."""
        pairs = itertools.product(enumerate(self.prompts, 1), enumerate(self.voices, 1))
        return tuple(
            Item(id=f"p{p}-v{v}", text=self.texts[n % len(self.texts)], voice=voice, prompt=prompt, seed=self.seed)
            for n, ((p, prompt), (v, voice)) in enumerate(pairs)
        )


class Example(StrictModel):
    """A fixed trial: one item under the conditions in canonical order (see `Block.cells`)."""

    item: Name
    conditions: tuple[Name, ...] = Field(min_length=1)


class Catch(Example):
    """A trial whose right answer is known; who misses it did not listen.

    choice: the condition (ab), word (identify) or side (abx: leave out, it is known). of: the condition whose rating
    must lie between least and most.
    """

    choice: str | None = None
    of: str | None = None
    least: float | None = None
    most: float | None = None


class Question(StrictModel):
    """One line of the questionnaire."""

    id: Name
    ask: str
    kind: Literal["choice", "text", "number"] = "text"
    options: tuple[str, ...] = ()
    required: bool = False


class Block(StrictModel):
    """Trials of one test type.

    conditions: those compared or rated. pairs (ab, abx, ccr): which of them meet; all if left out. reference (smos,
    mushra): the condition that is heard as such. anchors: of mushra. items: ids; all if left out. trials: cells that a
    participant hears; all if left out. listeners: how many participants each cell needs. repeats: of a participant's
    cells so many are asked again. options: words of `identify`; answers: the right one of an item, where it is not its
    prompt.
    """

    id: Name
    test: Test
    question: str = ""
    instructions: str = ""
    conditions: tuple[Name, ...] = Field(min_length=1)
    pairs: tuple[tuple[Name, Name], ...] = ()
    reference: Name | None = None
    anchors: tuple[Name, ...] = ()
    items: tuple[Name, ...] = ()
    options: tuple[str, ...] = ()
    answers: dict[Name, str] = {}  # noqa: RUF012  (pydantic copies it)
    design: Literal["least_filled", "latin_square"] = "least_filled"
    trials: int | None = Field(default=None, ge=1)
    listeners: int = Field(10, ge=1)
    repeats: int = Field(0, ge=0)
    tie: bool = True
    comment: bool = False
    training: tuple[Example, ...] = ()
    catch: tuple[Catch, ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> Block:
        paired, alone = self.test in PAIRED, self.test in SINGLE or self.test == "smos"
        if paired and len(self.conditions) < 2:
            raise ValueError(f"{self.test} compares at least two conditions")
        if self.pairs and not paired:
            raise ValueError(f"{self.test} has no pairs")
        if (self.reference is not None) != (self.test in ("smos", "mushra")):
            raise ValueError("smos and mushra need a reference, the other test types have none")
        if self.anchors and self.test != "mushra":
            raise ValueError("only mushra has anchors")
        if (len(self.options) >= 2) != (self.test == "identify"):
            raise ValueError("identify needs at least two options, the other test types have none")
        if not set(self.answers.values()) <= set(self.options):
            raise ValueError("answers must be among the options")
        if self.design == "latin_square" and not alone:
            raise ValueError("a Latin square is for tests of one clip (mos, smos, emos, identify, transcribe)")
        return self

    def names(self) -> set[str]:
        """Every condition that is heard in the block."""
        shown = {*self.conditions, *self.anchors, *itertools.chain(*self.pairs)}
        shown |= {name for example in (*self.training, *self.catch) for name in example.conditions}
        return shown | ({self.reference} if self.reference else set())

    def combinations(self) -> list[tuple[str, ...]]:
        """Conditions of a cell in canonical order: one; a pair; reference and one; reference first and all rated."""
        if self.test in PAIRED:
            return list(self.pairs or itertools.combinations(self.conditions, 2))
        if self.test in SIDE_BY_SIDE:
            reference = (self.reference,) if self.reference else ()
            rated = tuple(name for name in self.conditions if name != self.reference)
            return [(*reference, *rated, *reference, *self.anchors)]
        return [(self.reference, name) if self.reference else (name,) for name in self.conditions]

    def cells(self, items: tuple[str, ...]) -> list[tuple[str, tuple[str, ...]]]:
        """(item, conditions) of every trial that the block can ask; the place in this list is the cell's number."""
        return [(item, shown) for item in self.items or items for shown in self.combinations()]

    def asked(self, item: Item) -> str:
        """The question about an item."""
        words = self.question or QUESTIONS[self.test]
        return words.replace("{prompt}", item.prompt).replace("{text}", item.text)


class Screening(StrictModel):
    """Whose answers are left out of the results. None: not looked at."""

    headphones_least: int | None = Field(default=None, ge=0, le=6)
    catch_missed_most: int | None = Field(default=None, ge=0)
    repeats_agree_least: float | None = Field(default=None, ge=0, le=1)
    seconds_a_trial_least: float | None = Field(default=None, ge=0)


class Study(StrictModel):
    """A whole study; see docs/LISTENING.md."""

    id: Name
    title: str
    instructions: str = ""
    consent: str = ""
    seed: int = 0
    levels: Literal["raw", "matched"] = "matched"
    loudness_lufs: float = Field(-26.0, ge=-40, le=-14)
    headphone_check: bool = True
    completion_code: str | None = None
    questionnaire: tuple[Question, ...] = ()
    conditions: dict[Name, Condition] = Field(min_length=1)
    items: tuple[Item, ...] = ()
    grid: Grid | None = None
    blocks: tuple[Block, ...] = Field(min_length=1)
    screening: Screening = Screening()

    @model_validator(mode="after")
    def _names_exist(self) -> Study:
        items = [item.id for item in self.all_items()]
        blocks = [block.id for block in self.blocks]
        for what, names in (("item", items), ("block", blocks)):
            if len(set(names)) < len(names):
                raise ValueError(f"two {what}s have the same id")
        if not items:
            raise ValueError("there are no items; give items or a grid")
        for block in self.blocks:
            used = {*block.items, *block.answers, *(example.item for example in (*block.training, *block.catch))}
            unknown = sorted(used - set(items)) + sorted(block.names() - set(self.conditions))
            if unknown:
                raise ValueError(f"block {block.id} names {', '.join(unknown)}, which the study does not have")
            if block.trials is not None and block.trials > (most := len(block.cells(tuple(items)))):
                raise ValueError(f"block {block.id} asks for {block.trials} trials but has only {most}")
        if "tie" in self.conditions:
            raise ValueError("no condition can be called tie, since an answer is")
        for name, condition in self.conditions.items():
            of = condition.of if isinstance(condition, Anchor) else None
            if of is not None and (of == name or of not in self.conditions):
                raise ValueError(f"anchor {name} is made of {of}, which the study does not have")
        return self

    def all_items(self) -> tuple[Item, ...]:
        """Listed items, then those of the grid."""
        return (*self.items, *(self.grid.items() if self.grid else ()))

    def item(self, name: str) -> Item:
        """The item of this id."""
        return next(item for item in self.all_items() if item.id == name)

    def block(self, name: str) -> Block:
        """The block of this id."""
        return next(block for block in self.blocks if block.id == name)

    def cells(self, block: Block) -> list[tuple[str, tuple[str, ...]]]:
        """Cells of a block over the items of the study."""
        return block.cells(tuple(item.id for item in self.all_items()))

    def heard(self) -> set[tuple[str, str]]:
        """(item, condition) of every clip that somebody may hear."""
        pairs = {(item, name) for block in self.blocks for item, shown in self.cells(block) for name in shown}
        examples = [example for block in self.blocks for example in (*block.training, *block.catch)]
        return pairs | {(example.item, name) for example in examples for name in example.conditions}

    @property
    def config_hash(self) -> str:
        """SHA-256 over everything in the file."""
        content = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()


def load_study(path: Path) -> Study:
    """The study of a YAML file, or of the study.yaml in a folder. Raises InputError naming each field that is wrong."""
    import yaml

    path = Path(path)
    path = path / STUDY_NAME if path.is_dir() else path
    if not path.is_file():
        raise InputError(f"there is no study file {path}; `listening new` writes one to start from")
    try:
        content: Any = read_yaml(path)
        return Study.model_validate(content)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        raise InputError(f"{path} is not a valid study: {problems(error)}") from None
