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
from latent_edit.evaluation.clips import Clip, Copied, Edited, Recording, Rendered, Said
from latent_edit.evaluation.jury import STYLE, Question
from latent_edit.evaluation.moves import free_prompts, judged_styles
from latent_edit.request import EditRequest

NEUTRAL = "speak normally"
GUIDANCE = (0.0, 1.0, 2.0, 3.0, 4.0)  # of the curve
RISEN_AT = 2.0  # from 0 to here the moves have to rise
DEFAULT_GUIDANCE = EditRequest.guidance
BRIDGE_ALONE = "i2sb, the bridge alone"  # without landing
WORLD = "world"  # the method of signal processing: predicted axes through WORLD
SHOUT, SHOUTERS = "an angry shout", ("sam_a", "sam_b")  # the preset that changes most, on more sentences


@dataclass(frozen=True)
class Sizes:
    """How many sentences for each voice.

    recordings: held-out recordings for the word error rates and voice identity. fidelity: of these, for fidelity,
    naturalness and range of F0. edits: sentences for every preset; free: for every free prompt. baseline: of these, for
    the method `world`, other methods and the bridge alone. curve: of these, for the guidance curve. shouts: for the
    words of the preset that changes most. kept: of the recordings, for the words that every preset keeps, beside those
    of `edits`; 0 leaves them to an earlier run.
    voices: how many of them; None is all.
    """

    recordings: int = 100
    fidelity: int = 15
    edits: int = 10
    free: int = 10
    baseline: int = 2
    curve: int = 4
    shouts: int = 20
    kept: int = 60
    voices: int | None = None


QUICK = Sizes(recordings=2, fidelity=1, edits=1, free=1, baseline=1, curve=1, shouts=1, kept=1, voices=1)


@dataclass(frozen=True)
class Plan:
    """voices; recorded: held-out recordings of each voice (none without a corpus); spoken: recordings of the sentences.

    axes: what the CLAP's axis head makes of each prompt, for the method `world`; empty where it has none. others:
    methods beside the default one.
    """

    voices: tuple[str, ...]
    sizes: Sizes
    recorded: dict[str, tuple[Recording, ...]]
    spoken: dict[tuple[str, str], Recording]
    axes: dict[str, Style]
    others: tuple[str, ...] = ()

    def edits(self, prompt: str, count: int | None = None, guidance: float = DEFAULT_GUIDANCE) -> Iterator[Edited]:
        """A prompt in every voice on its first sentences."""
        if count is None:
            count = self.sizes.edits if prompt in preset_prompts() else self.sizes.free
        for voice in self.voices:
            for seed, text in enumerate(sentences(voice)[:count]):
                yield Edited(EditRequest(text=text, voice=voice, prompt=prompt, seed=seed, guidance=guidance))

    @property
    def shouts(self) -> list[Edited]:
        """The preset that changes most."""
        return [edit for edit in self.edits(SHOUT, self.sizes.shouts) if edit.voice in SHOUTERS]

    def controls(self, prompt: str) -> Iterator[tuple[Edited, Recording, Rendered]]:
        """Edits of a prompt whose sentence was recorded, that recording, and WORLD's rendition of it in that style."""
        style = judged_styles()[prompt]
        for edit in self.edits(prompt):
            if recording := self.spoken.get((edit.voice, edit.text)):
                yield edit, recording, Rendered(recording, style)

    def kept(self, prompt: str) -> Iterator[tuple[Edited, Recording, Rendered]]:
        """`controls`, and the same of further held-out recordings: to count words takes more than to measure moves."""
        yield from self.controls(prompt)
        style = judged_styles()[prompt]
        for voice, recordings in self.recorded.items():
            for recording in recordings[: self.sizes.kept]:
                if recording.text not in sentences(voice):
                    edit = Edited(EditRequest(text=recording.text, voice=voice, prompt=prompt))
                    yield edit, recording, Rendered(recording, style)

    def baseline(self, prompt: str) -> Iterator[tuple[Edited, Rendered]]:
        """Edits of a prompt and, in place of each, the method `world`: predicted axes through WORLD on the before."""
        if prompt in self.axes:
            for edit in self.edits(prompt, self.sizes.baseline):
                yield edit, Rendered(edit.before, self.axes[prompt])

    @property
    def variants(self) -> dict[str, dict[str, Any]]:
        """Other ways to make the same edits: name -> what of the request is changed."""
        return {BRIDGE_ALONE: {"landing": False}, **{method: {"method": method} for method in self.others}}

    @property
    def compared_with(self) -> list[str]:
        """What the default is compared with on the same readings."""
        return [*self.variants, *([WORLD] if self.axes else [])]

    def compared(self, prompt: str, name: str) -> Iterator[tuple[Edited, Clip]]:
        """Edits of a prompt, and what another way makes in place of each."""
        if name == WORLD:
            yield from self.baseline(prompt)
            return
        for edit in self.edits(prompt, self.sizes.baseline):
            yield edit, Edited(replace(edit.request, **self.variants[name]))

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

    def questions(self) -> list[Question]:
        """Everything that the rows of the suite will ask, clip by clip so that each clip is made once."""
        return self._voice_questions() + self._edit_questions() + self._world_questions()

    def _voice_questions(self) -> list[Question]:
        """What is asked about recordings, copies and readings of them."""
        questions: list[Question] = []
        for recording in self.recordings:
            questions += _of(recording, "heard", "speaker")
            for refined in (True, False):
                questions += _of(Copied(recording, refined=refined), "heard")
            questions += _of(said(recording), "heard", "speaker")
        for recording in self.closely:
            copies = Copied(recording), Rendered(recording, Style())
            questions += [Question("fidelity", (recording, copy)) for copy in copies]
            for clip in (recording, said(recording), *copies):
                questions += _of(clip, "natural", *(() if clip in copies else ("measured",)))
        return questions

    def _edit_questions(self) -> list[Question]:
        """What is asked about edits and the readings that they start from."""
        questions: list[Question] = []
        presets = preset_prompts()
        closely = {edit for prompt in presets for edit in self.edits(prompt, self.sizes.baseline)}
        for edit in self.edits(NEUTRAL):
            questions += _of(edit.before, "measured", "heard", "speaker", *(("natural",) if edit in closely else ()))
        for edit in self.shouts:
            questions += _of(edit.before, "heard") + _of(edit, "heard")
        for prompt in [*presets, *free_prompts()]:
            for edit in self.edits(prompt):
                judges = ("heard", "speaker") if prompt in presets else ()
                questions += _of(edit, "measured", *judges, *(("natural",) if edit in closely else ()))
        for prompt in presets:
            for edit, _, _ in self.kept(prompt):
                questions += _of(edit.before, "heard") + _of(edit, "heard")
            for guidance in GUIDANCE:
                for edit in self.edits(prompt, self.sizes.curve, guidance):
                    questions += _of(edit, "measured", *(("heard",) if guidance in (GUIDANCE[0], GUIDANCE[-1]) else ()))
        for variant in self.variants:
            for prompt in presets:
                for _, clip in self.compared(prompt, variant):
                    questions += _of(clip, "measured", "heard", "natural")
        for prompt in free_prompts():
            for _, clip in self.compared(prompt, BRIDGE_ALONE):
                questions += _of(clip, "measured")
        return questions

    def _world_questions(self) -> list[Question]:
        """What is asked about WORLD's renditions, source by source so that each is analysed once."""
        judged: list[tuple[Clip, str]] = []
        for prompt in preset_prompts():
            for _, recording, rendition in self.controls(prompt):
                judged += [(recording, judge) for judge in ("measured", "heard", "speaker")]
                judged += [(rendition, judge) for judge in ("measured", "heard", "speaker", STYLE)]
            for _, recording, rendition in self.kept(prompt):
                judged += [(recording, "heard"), (rendition, "heard")]
            for _, rendition in self.baseline(prompt):
                judged += [(rendition, judge) for judge in ("measured", "heard", "speaker", "natural")]
        for prompt in free_prompts():
            judged += [(rendition, "measured") for _, rendition in self.baseline(prompt)]
        judged.sort(key=lambda item: (item[0].voice, item[0].text))
        return [Question(judge, (clip,)) for clip, judge in judged]


def _of(clip: Clip, *judges: str) -> list[Question]:
    return [Question(judge, (clip,)) for judge in judges]


def said(recording: Recording) -> Said:
    """The plain reading of what is said in a recording, in its voice."""
    return Said(recording.text, recording.voice, 0)


@lru_cache(maxsize=1)
def _sentence_lists() -> dict[str, list[str]]:
    lists: dict[str, list[str]] = read_yaml(PRESETS / "sentences.yaml")
    return lists


def sentences(voice: str) -> list[str]:
    """Held-out sentences for a voice, in the order in which they are taken; another voice takes those of the first."""
    lists = _sentence_lists()
    return lists.get(voice) or next(iter(lists.values()))


def make_plan(
    voices: Sequence[str], sizes: Sizes, corpus: Path | None, axes: dict[str, Style], others: Sequence[str] = ()
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
            kept = [Recording(u.path, voice, u.text) for u in sample(list(takes.values()), len(takes))]
            recorded[voice] = tuple(kept[: sizes.recordings])
            spoken.update({(voice, recording.text): recording for recording in kept})
        if not spoken:
            raise InputError(f"{corpus} has no held-out recording by {', '.join(voices)}: give one that has")
    return Plan(tuple(voices), sizes, recorded, spoken, axes, tuple(others))
