"""Bridges that learnt from acted takes of other people, on plain syntheses of the embedded voices.

There are two, each from half of the actors. An edit by one is judged by emotion judges that were fitted on the other
half: nobody whom the bridge learnt from is known to its judge.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor

from latent_edit.bridge import Bridge
from latent_edit.data.latents import Latents
from latent_edit.data.takes import Take
from latent_edit.errors import InputError
from latent_edit.evaluation import emotion
from latent_edit.evaluation.cached_scores import CachedScores, ScoreList
from latent_edit.evaluation.clips import Clip, Edit, OfRequest, Sound, editor_code, sound_of
from latent_edit.evaluation.code_hash import code_hash
from latent_edit.evaluation.comparison import Figure, compare
from latent_edit.evaluation.controls import DEFAULT, System
from latent_edit.evaluation.outside_judges import same_voice, words_lost
from latent_edit.evaluation.plan import SampleSizes, Trial, make_plan
from latent_edit.evaluation.rows import Row
from latent_edit.request import EditRequest
from latent_edit.synthesis import BRIDGE_STREAM, Timing, decode, encode, generator, time_scale

if TYPE_CHECKING:
    from latent_edit.editor import LatentEditor

HALVES = ("acted-0", "acted-1")  # folders of what each bridge learnt from, below the folder of prepared data
# The presets that ask for an acted emotion by axes. A monotone has no shape of F0, so the second judge is not asked.
EMOTION_OF = {
    "an angry shout": "angry",
    "excited": "happy",
    "a nervous, trembling voice": "fearful",
    "sad and slow": "sad",
    "monotone, like a robot": "bored",
}
COMBINATIONS = 8  # of sentence and voice, for every emotion; sentences take turns between the halves
TITLE = "acted pairs, "
ABOUT = """\
## Bridges from acted takes

Two bridges went on from the shipped weights of `i2sb`, each with the acted takes of five people (EmoDB) beside their
neutral takes (`prepare takes --acted`, preset `acted`), without made styles and without a correction afterwards. They
edit plain syntheses of our voices, conditioned on the mean CLAP embedding of the emotion's takes. The emotion judges of
each were fitted on the other five people. Below each value: its paired difference from the default.
Made by `evaluate --suite acted-pairs`."""


@dataclass(frozen=True, eq=False)
class Half:
    """A bridge and what it learnt from. styles: emotion -> centred mean embedding of its takes, [1, D]."""

    bridge: Bridge
    actors: frozenset[str]
    styles: Mapping[str, Tensor]

    @staticmethod
    def of(bridge: Bridge, takes: Latents) -> Half:
        """takes: `data.takes.load_takes`."""
        own = [cast(Take, item) for item in takes.items]
        centred = bridge.centred(takes.audio_style, "audio")
        styles = {}
        for manner in {take.manner for take in own}:
            mean = centred[[take.manner == manner for take in own]].mean(0, keepdim=True)
            styles[manner] = torch.nn.functional.normalize(mean, dim=1)
        return Half(bridge, frozenset(take.person for take in own), styles)


@dataclass(frozen=True)
class ActedEdit(OfRequest):
    """A plain synthesis edited by a bridge from acted takes: time scaling and the bridge, no correction."""

    request: EditRequest
    half: Half

    @property
    def style(self) -> Tensor:
        """Of the emotion that the prompt stands for."""
        return self.half.styles[EMOTION_OF[self.request.prompt]]

    def identity(self, editor: LatentEditor) -> list[Any]:
        """The request, the bridge, the style, the voice, and the code."""
        code = [editor.vits.hash, editor_code(editor), code_hash(__name__)]
        return ["acted", self.request.to_dict(), self.half.bridge.hash, self.style.flatten().tolist(), *code]

    @torch.no_grad()
    def render(self, editor: LatentEditor) -> Sound:
        """Encode, scale, sample, decode."""
        vits, bridge, request = editor.vits, self.half.bridge, self.request
        speaker, source = vits.speaker_embedding(request.voice), encode(vits, request)
        scaled = time_scale(vits, source, Timing(float(bridge.log_duration_ratio(self.style, speaker)[0])), request)
        contour_of = vits.source_filter_decoder.pitch.f0_contour
        edited = []
        for piece, latent in enumerate(scaled.latents):
            drawn = [generator(request.seed, BRIDGE_STREAM, piece)]
            contour = contour_of(latent.z[0], speaker[0])[None]
            *_, clean = bridge.sample(latent, self.style, speaker, 1.0, request.steps, drawn, contour)
            edited.append(clean)
        return sound_of(decode(vits, scaled.towards(edited, 1.0), request.voice).waveform)


def acted_rows(
    scores: CachedScores, acted: Path, halves: Sequence[Half], tell: Callable[[int, int], None]
) -> list[Row]:
    """Every figure of the bridges beside the default and what it is without correction, and of real actors."""
    if halves[0].actors & halves[1].actors:
        raise InputError("both bridges learnt from some of the same actors: prepare each with the others left out")
    fitted = [_judges(scores, acted, half, tell) for half in halves]
    plan = make_plan(scores.editor.voices, SampleSizes(sentences=2), None, {})
    trials = plan.trials({prompt: prompt for prompt in EMOTION_OF}, COMBINATIONS)
    systems = [
        System(DEFAULT, lambda edit: edit, ""),
        System("bridge alone", lambda edit: Edit(replace(edit.request, correction=False)), ""),
        System("bridge from acted takes", lambda edit: ActedEdit(edit.request, halves[_half(edit)]), ""),
        System("identity", lambda edit: edit.before, ""),
    ]
    figures = [
        Figure(TITLE + "words lost (Moonshine)", "points", words_lost("moonshine")),
        Figure(TITLE + "same voice, cosine", "cosine", same_voice),
    ]
    for name, kind in emotion.KINDS.items():
        asked = [prompt for prompt, heard in EMOTION_OF.items() if heard in kind.emotions]
        figures.append(Figure(TITLE + emotion.HEARD.format(name), "percent", _heard_by_half(name, fitted), asked))
    needed = ScoreList(scores.editor)
    compare(needed, trials, systems, figures, "development")
    scores.compute(needed.keys, tell)
    rows = compare(scores, trials, systems, figures, "development")
    for name in emotion.KINDS:
        for place, judges in enumerate(fitted):
            accuracy = judges[name].accuracy
            rows.append(
                Row(TITLE + emotion.HEARD.format(name), f"{emotion.ACTORS}, judge {place + 1}", accuracy, "percent")
            )
    return rows


def _half(edit: Edit) -> int:
    """Which bridge makes an edit: sentences take turns, and a seed is the place of its sentence."""
    return edit.request.seed % len(HALVES)


def _judges(
    scores: CachedScores, acted: Path, half: Half, tell: Callable[[int, int], None]
) -> dict[str, emotion.EmotionJudge]:
    """Emotion judges that have heard none of the actors of a half."""
    pairs = [pair for pair in emotion.read_acted(acted) if pair.take.voice not in half.actors]
    return {name: emotion.fit(scores, pairs, kind, tell) for name, kind in emotion.KINDS.items()}


def _heard_by_half(
    name: str, fitted: Sequence[Mapping[str, emotion.EmotionJudge]]
) -> Callable[[CachedScores, Trial, Clip], tuple[float, float] | None]:
    def measure(scores: CachedScores, trial: Trial, clip: Clip) -> tuple[float, float] | None:
        return emotion.heard_by(fitted[_half(trial.edit)][name], EMOTION_OF)(scores, trial, clip)

    return measure
