"""What is judged, and how much of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from latent_edit.config import PRESETS, preset_prompts, read_yaml
from latent_edit.data.styles import Style
from latent_edit.errors import InputError
from latent_edit.evaluation.clips import Clip, Edit, PlainSynthesis, Recording, WorldEdit
from latent_edit.evaluation.effects import judged_styles
from latent_edit.request import EditRequest

NEUTRAL = "speak normally"
GUIDANCE = (0.0, 1.0, 2.0, 3.0, 4.0)  # of the curve
DEFAULT_GUIDANCE = EditRequest.guidance
BRIDGE_ALONE = "i2sb, the bridge alone"  # without attribute correction
WORLD = "world"  # the method of signal processing: predicted axes through WORLD
SHOUT, SHOUTERS = "an angry shout", ("sam_a", "sam_b")  # the preset that changes most, on more sentences


@dataclass(frozen=True)
class SampleSizes:
    """How many sentences for each voice.

    recordings: held-out recordings for the word error rates and voice identity. fidelity: of these, for fidelity,
    naturalness and range of F0. edits: sentences for every preset; free: for every free prompt. baseline: of these, for
    the method `world`, other methods and the bridge alone. curve: of these, for the guidance curve. shouts: for the
    words of the preset that changes most. preservation: of the recordings, for the words that every preset preserves,
    beside those of `edits`; 0 leaves these rows to an earlier run.
    voices: how many of them; None is all.
    """

    recordings: int = 100
    fidelity: int = 15
    edits: int = 10
    free: int = 10
    baseline: int = 2
    curve: int = 4
    shouts: int = 20
    preservation: int = 60
    voices: int | None = None


QUICK = SampleSizes(recordings=2, fidelity=1, edits=1, free=1, baseline=1, curve=1, shouts=1, preservation=1, voices=1)


@dataclass(frozen=True)
class Plan:
    """voices; recorded: held-out recordings of each voice (none without a corpus); spoken: recordings of the sentences.

    axes: what the CLAP's axis head makes of each prompt, for the method `world`; empty where it has none. others:
    methods beside the default one.
    """

    voices: tuple[str, ...]
    sizes: SampleSizes
    recorded: dict[str, tuple[Recording, ...]]
    spoken: dict[tuple[str, str], Recording]
    axes: dict[str, Style]
    others: tuple[str, ...] = ()

    def edits(self, prompt: str, count: int | None = None, guidance: float = DEFAULT_GUIDANCE) -> Iterator[Edit]:
        """A prompt in every voice on its first sentences."""
        if count is None:
            count = self.sizes.edits if prompt in preset_prompts() else self.sizes.free
        for voice in self.voices:
            for seed, text in enumerate(sentences(voice)[:count]):
                yield Edit(EditRequest(text=text, voice=voice, prompt=prompt, seed=seed, guidance=guidance))

    @property
    def shouts(self) -> list[Edit]:
        """The preset that changes most."""
        return [edit for edit in self.edits(SHOUT, self.sizes.shouts) if edit.voice in SHOUTERS]

    def recorded_edits(self, prompt: str) -> Iterator[tuple[Edit, Recording, WorldEdit]]:
        """Edits of a prompt whose sentence was recorded, that recording, and WORLD's edit of it into that style."""
        style = judged_styles()[prompt]
        for edit in self.edits(prompt):
            if recording := self.spoken.get((edit.voice, edit.text)):
                yield edit, recording, WorldEdit(recording, style)

    def preservation_edits(self, prompt: str) -> Iterator[tuple[Edit, Recording, WorldEdit]]:
        """`recorded_edits`, and the same of further held-out recordings: words take more clips than effects."""
        yield from self.recorded_edits(prompt)
        style = judged_styles()[prompt]
        for voice, recordings in self.recorded.items():
            for recording in recordings[: self.sizes.preservation]:
                if recording.text not in sentences(voice):
                    edit = Edit(EditRequest(text=recording.text, voice=voice, prompt=prompt))
                    yield edit, recording, WorldEdit(recording, style)

    def baseline(self, prompt: str) -> Iterator[tuple[Edit, WorldEdit]]:
        """Edits of a prompt and, in place of each, the method `world`: predicted axes through WORLD on the before."""
        if prompt in self.axes:
            for edit in self.edits(prompt, self.sizes.baseline):
                yield edit, WorldEdit(edit.before, self.axes[prompt])

    @property
    def variants(self) -> dict[str, dict[str, Any]]:
        """Other ways to make the same edits: name -> what of the request is changed."""
        return {BRIDGE_ALONE: {"landing": False}, **{method: {"method": method} for method in self.others}}

    @property
    def compared_with(self) -> list[str]:
        """What the default is compared with on the same plain syntheses."""
        return [*self.variants, *([WORLD] if self.axes else [])]

    def compared(self, prompt: str, name: str) -> Iterator[tuple[Edit, Clip]]:
        """Edits of a prompt, and what another way makes in place of each."""
        if name == WORLD:
            yield from self.baseline(prompt)
            return
        for edit in self.edits(prompt, self.sizes.baseline):
            yield edit, Edit(replace(edit.request, **self.variants[name]))

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


def plain_synthesis(recording: Recording) -> PlainSynthesis:
    """What is said in a recording, synthesised in its voice."""
    return PlainSynthesis(recording.text, recording.voice, 0)


@lru_cache(maxsize=1)
def _sentence_lists() -> dict[str, list[str]]:
    lists: dict[str, list[str]] = read_yaml(PRESETS / "sentences.yaml")
    return lists


def sentences(voice: str) -> list[str]:
    """Held-out sentences for a voice, in the order in which they are taken; another voice takes those of the first."""
    lists = _sentence_lists()
    return lists.get(voice) or next(iter(lists.values()))


def make_plan(
    voices: Sequence[str], sizes: SampleSizes, corpus: Path | None, axes: dict[str, Style], others: Sequence[str] = ()
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
    return Plan(tuple(voices), sizes, recorded, spoken, axes, tuple(others))
