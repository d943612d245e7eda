"""Which edits are judged: prompts and sentences of the development and the test set, and how many of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any, Literal

from latent_edit.config import PRESETS, preset_prompts, read_yaml
from latent_edit.data.styles import Style
from latent_edit.errors import InputError
from latent_edit.evaluation.clips import Edit, PlainSynthesis, Recording, WorldEdit
from latent_edit.evaluation.effects import free_prompts, held_back_prompts, judged_styles
from latent_edit.prompts.lexicon import load_lexicon
from latent_edit.request import EditRequest

Split = Literal["development", "test"]
NEUTRAL = "speak normally"
GUIDANCE = (0.0, 0.5, 1.0, 2.0, 4.0)  # of the curve
DEFAULT_GUIDANCE = EditRequest.guidance
PARAPHRASES = 2  # of each preset


@dataclass(frozen=True)
class SampleSizes:
    """How much is judged; a combination is one sentence in one voice.

    sentences: of each voice, from which combinations are taken. presets: combinations for every preset and system.
    others: for every paraphrase and every new prompt. guidance: for every preset at every guidance scale.
    recordings: held-out recordings of each voice for word error rates and voice identity. fidelity: of these, for
    fidelity, naturalness and range of F0. preservation: of these, for the words that every preset preserves, beside
    the sentences that were recorded; 0 leaves these rows to an earlier run. voices: how many of them; None is all.
    """

    sentences: int = 6
    presets: int = 24
    others: int = 8
    guidance: int = 8
    recordings: int = 100
    fidelity: int = 15
    preservation: int = 20
    voices: int | None = None


QUICK = SampleSizes(sentences=2, presets=2, others=1, guidance=1, recordings=2, fidelity=1, preservation=1, voices=2)


@dataclass(frozen=True)
class Trial:
    """An edit by the default system, and the prompt by whose rule it is judged: its own, or what it paraphrases."""

    edit: Edit
    rule: str


@dataclass(frozen=True)
class Plan:
    """voices; recorded: held-out recordings of each voice (none without a corpus); spoken: recordings of the sentences.

    axes: what the CLAP's axis head makes of each prompt, for the method `world`; empty where it has none. methods: all
    that are loaded.
    """

    voices: tuple[str, ...]
    sizes: SampleSizes
    recorded: dict[str, tuple[Recording, ...]]
    spoken: dict[tuple[str, str], Recording]
    axes: dict[str, Style]
    methods: tuple[str, ...] = (EditRequest.method,)
    split: Split = "development"

    def trials(self, prompts: Mapping[str, str], count: int, **request: Any) -> list[Trial]:
        """Each prompt on `count` combinations of sentence and voice, taken in turn; prompts: text -> rule."""
        texts = [sentences(voice, self.split)[: self.sizes.sentences] for voice in self.voices]
        combinations = [
            (voice, place, own[place])
            for place, (voice, own) in product(range(self.sizes.sentences), zip(self.voices, texts, strict=True))
            if place < len(own)
        ]
        count = min(count, len(combinations))
        found = []
        for index, (prompt, rule) in enumerate(prompts.items()):
            for offset in range(count):
                voice, seed, text = combinations[(index * count + offset) % len(combinations)]
                asked = EditRequest(text=text, voice=voice, prompt=prompt, seed=seed, **request)
                found.append(Trial(Edit(asked), rule))
        return found

    @property
    def presets(self) -> list[Trial]:
        """The presets that ask for a change."""
        return self.trials(presets(), self.sizes.presets)

    def others(self, kind: Literal["paraphrases", "new prompts"]) -> list[Trial]:
        """What no training caption says."""
        prompts = paraphrases(self.split) if kind == "paraphrases" else new_prompts(self.split)
        return self.trials(prompts, self.sizes.others)

    def recorded_edits(self, prompt: str) -> Iterator[tuple[Edit, Recording, WorldEdit]]:
        """Edits of a prompt whose sentence was recorded, that recording, and WORLD's edit of it into that style."""
        style = judged_styles()[prompt]
        for trial in self.trials({prompt: prompt}, self.sizes.sentences * len(self.voices)):
            if recording := self.spoken.get((trial.edit.voice, trial.edit.text)):
                yield trial.edit, recording, WorldEdit(recording, style)

    def preservation_edits(self, prompt: str) -> Iterator[tuple[Edit, Recording, WorldEdit]]:
        """`recorded_edits`, and the same of further held-out recordings: words take more clips than effects."""
        yield from self.recorded_edits(prompt)
        style = judged_styles()[prompt]
        for voice, recordings in self.recorded.items():
            for recording in recordings[: self.sizes.preservation]:
                if recording.text not in sentences(voice, self.split):
                    edit = Edit(EditRequest(text=recording.text, voice=voice, prompt=prompt))
                    yield edit, recording, WorldEdit(recording, style)

    @property
    def recordings(self) -> Iterator[Recording]:
        """All recordings for the word error rates."""
        for recordings in self.recorded.values():
            yield from recordings

    @property
    def closely(self) -> Iterator[Recording]:
        """The recordings for fidelity, naturalness and range of F0."""
        for recordings in self.recorded.values():
            yield from recordings[: self.sizes.fidelity]


def presets() -> dict[str, str]:
    """The presets that ask for a change, each judged by its own rule. All are training captions."""
    return {prompt: prompt for prompt in preset_prompts() if prompt != NEUTRAL}


def paraphrases(split: Split) -> dict[str, str]:
    """Other words for these presets, which are no training captions: text -> preset."""
    if split == "test":
        wordings: Mapping[str, Sequence[str]] = held_back_prompts()["paraphrases"]
    else:
        wordings = {prompt: load_lexicon().presets[prompt].captions["test"] for prompt in presets()}
    return {text: prompt for prompt in presets() for text in wordings[prompt][:PARAPHRASES]}


def new_prompts(split: Split) -> dict[str, str]:
    """Prompts that are no training captions and mean something else than any preset, each judged by its own rule."""
    return {prompt: prompt for prompt in (held_back_prompts()["new"] if split == "test" else free_prompts())}


def plain_synthesis(recording: Recording) -> PlainSynthesis:
    """What is said in a recording, synthesised in its voice."""
    return PlainSynthesis(recording.text, recording.voice, 0)


@lru_cache(maxsize=1)
def _development_sentences() -> dict[str, list[str]]:
    lists: dict[str, list[str]] = read_yaml(PRESETS / "sentences.yaml")
    return lists


@lru_cache(maxsize=1)
def _test_sentences() -> list[str]:
    texts: list[str] = read_yaml(PRESETS / "test-sentences.yaml")
    return texts


def sentences(voice: str, split: Split = "development") -> list[str]:
    """Held-out sentences for a voice, in the order in which they are taken.

    Of the development set each voice has its own; another voice takes those of the first.
    """
    if split == "test":
        return _test_sentences()
    lists = _development_sentences()
    return lists.get(voice) or next(iter(lists.values()))


def make_plan(
    voices: Sequence[str],
    sizes: SampleSizes,
    corpus: Path | None,
    axes: dict[str, Style],
    methods: Sequence[str] = (EditRequest.method,),
    split: Split = "development",
) -> Plan:
    """The plan for some voices, with held-out recordings where a corpus is given. Raises InputError."""
    voices = voices[: sizes.voices]
    recorded: dict[str, tuple[Recording, ...]] = {}
    spoken: dict[tuple[str, str], Recording] = {}
    if corpus is not None:
        from latent_edit.data.corpora import read_corpus
        from latent_edit.data.splits import sample, select, sentence_key

        utterances = select(read_corpus(corpus), "test")
        for voice in voices:
            own = [u for u in utterances if u.speaker == voice]
            takes = {sentence_key(u.text): u for u in reversed(sample(own, len(own)))}  # one take of each sentence
            chosen = [Recording(u.path, voice, u.text) for u in sample(list(takes.values()), len(takes))]
            recorded[voice] = tuple(chosen[: sizes.recordings])
            spoken.update({(voice, recording.text): recording for recording in chosen})
        if not spoken:
            raise InputError(f"{corpus} has no held-out recording by {', '.join(voices)}: give one that has")
    return Plan(tuple(voices), sizes, recorded, spoken, axes, tuple(methods), split)
