"""The systems of every table of edits: the default, and what tells which part of it does what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from latent_edit.axes import AXES, BREATHINESS, WHISPER
from latent_edit.data.styles import Style
from latent_edit.evaluation.clips import (
    WORLD_MODULE,
    Clip,
    Edit,
    OfRequest,
    OfSource,
    PlainSynthesis,
    Sound,
    WorldEdit,
    editor_code,
    sound_of,
    world_analysis,
)
from latent_edit.evaluation.code_hash import code_hash
from latent_edit.evaluation.effects import effects
from latent_edit.evaluation.plan import Plan, presets
from latent_edit.measures import measure
from latent_edit.request import EditRequest

if TYPE_CHECKING:
    from latent_edit.axes import AxisValue
    from latent_edit.editor import LatentEditor
    from latent_edit.models.vits import FrozenVits
    from latent_edit.types import Latent

DEFAULT = "bridge and correction"
SHUFFLED = "shuffled prompt"


@dataclass(frozen=True)
class System:
    """One way to edit. clip: what it makes in place of an edit by the default. about: one line for the report."""

    name: str
    clip: Callable[[Edit], Clip]
    about: str


@dataclass(frozen=True)
class CorrectionAlone(OfRequest):
    """An edit without a bridge: time scaling, then the correction of the time-scaled source at the style's full size.

    rendered_breath: the source is first given the breath that the style asks for, by optimisation towards the filters
    that the decoder would need for it.
    """

    request: EditRequest
    rendered_breath: bool = False

    def identity(self, editor: LatentEditor) -> list[Any]:
        """The request, all weights (the bridge's also predict the pace), and the code."""
        hashes = editor.hashes(self.request.method, self.request.prompt)
        made = [hashes, editor_code(editor), code_hash(__name__)]
        return ["correction alone", self.request.to_dict(), self.rendered_breath, *made]

    def render(self, editor: LatentEditor) -> Sound:
        """Do what the editor does, the bridge apart."""
        start = partial(_with_breath, editor.vits, self.voice) if self.rendered_breath else None
        return sound_of(editor.correction_alone(self.request, start).waveform)


def _with_breath(vits: FrozenVits, voice: str, latent: Latent, asked: Mapping[str, AxisValue]) -> Latent:
    """Near a latent [1, C, T], the one that the decoder speaks with breath, or as a whisper, and otherwise alike."""
    from latent_edit.optimize.corrections import matched
    from latent_edit.optimize.decoder_params import SpeakerDecoder

    breath = asked[BREATHINESS]
    if not breath.named or breath.value < 0:
        return latent
    decoder = SpeakerDecoder.of(vits, voice)
    plain = decoder.analyse(latent.z)
    return matched(decoder, latent, plain.whispered() if breath.value >= WHISPER else plain.breathy(breath.value))


@dataclass(frozen=True)
class WorldClosedLoop(OfSource):
    """WORLD with one pass of measuring and correcting, as the default system has: what was missed is asked for on top.

    Breathiness has no measure in its own unit and stays as predicted.
    """

    source: PlainSynthesis
    style: Style

    def identity(self, editor: LatentEditor) -> list[Any]:
        """The source, the style and how it is made."""
        code = [code_hash(WORLD_MODULE), code_hash(__name__)]
        return ["world closed loop", *self.source.identity(editor), asdict(self.style), *code]

    def render(self, editor: LatentEditor) -> Sound:
        """Synthesise, measure, and synthesise again with what was missing."""
        from latent_edit.data.world import synthesise

        analysis = world_analysis(self.source, editor)
        rate = analysis.sampling_rate
        plain, first = (synthesise(analysis, style) for style in (Style(), self.style))
        found = effects(measure(plain, rate), measure(first, rate))
        again = {
            name: value + (value - effect)
            for name, value in asdict(self.style).items()
            if (effect := found.get(name)) is not None and abs(value) >= AXES[name].floor / 2
        }
        return Sound(synthesise(analysis, replace(self.style, **again)), rate)


def systems(plan: Plan, shuffled: Mapping[str, str] | None = None) -> list[System]:
    """All of them; `shuffled` says which prompt stands in for which (presets by default)."""
    shuffled = shuffled or shuffle(list(presets()))

    def changed(**fields: Any) -> Callable[[Edit], Clip]:
        return lambda edit: Edit(replace(edit.request, **fields))

    found = [
        System(DEFAULT, lambda edit: edit, "the default: time scaling, bridge, attribute correction"),
        System("bridge alone", changed(correction=False), "without the correction"),
        System("correction alone", lambda edit: CorrectionAlone(edit.request), "time scaling kept, no bridge"),
        System(
            "correction, rendered breath",
            lambda edit: CorrectionAlone(edit.request, rendered_breath=True),
            "no bridge; the latent is sought whose decoder filters have the breath",
        ),
        System("one step", changed(steps=1), "the default with a single step of the sampler"),
    ]
    others = [method for method in plan.methods if method != EditRequest.method]
    found += [System(method, changed(method=method), f"another bridge: `{method}`") for method in others]
    if plan.axes:
        found += [
            System(
                "WORLD, open loop",
                lambda edit: WorldEdit(edit.before, plan.axes[edit.request.prompt]),
                "what the CLAP's axis head predicts, by signal processing on the same plain synthesis",
            ),
            System(
                "WORLD, closed loop",
                lambda edit: WorldClosedLoop(edit.before, plan.axes[edit.request.prompt]),
                "the same with one pass of measuring and correcting",
            ),
        ]
    return [
        *found,
        System(
            SHUFFLED,
            lambda edit: Edit(replace(edit.request, prompt=shuffled.get(edit.request.prompt, edit.request.prompt))),
            "the default with another preset's prompt, judged by this one's rule",
        ),
        System("identity", lambda edit: edit.before, "the plain synthesis itself"),
    ]


def shuffle(prompts: list[str]) -> dict[str, str]:
    """Each prompt -> the one half the list away."""
    return {prompt: prompts[(place + len(prompts) // 2) % len(prompts)] for place, prompt in enumerate(prompts)}
