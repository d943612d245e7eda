"""The edit: text -> Z_text -> bridge steered by a style -> correction -> Z' -> speech. Read `LatentEditor._edit` first.

A recording may stand in for the text: its Z_audio then takes the place of Z_text.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from latent_edit import audio, checkpoint, versions
from latent_edit.axes import AXES, PACE, AxisValue
from latent_edit.bridge import Bridge, load_bridge
from latent_edit.errors import CheckpointError, InputError
from latent_edit.manners import Take, digest, load_manners
from latent_edit.measures import measure
from latent_edit.models.clap import StyleEncoder, load_style_encoder
from latent_edit.models.vits import FrozenVits
from latent_edit.optimize.corrections import correct
from latent_edit.progress import Progress, StageClock, steps_to_decode
from latent_edit.prompts.reader import Vocabulary, read_prompt
from latent_edit.prompts.reading import AskedAxis, PromptReading
from latent_edit.recording import cleaned, nearest_speaker, read_speech, with_its_level
from latent_edit.request import EditRequest, check_number, check_text, choose, read_record
from latent_edit.result import EditResult
from latent_edit.synthesis import (
    ACTING_STREAM,
    BRIDGE_STREAM,
    Pieces,
    Synthesis,
    Timing,
    decode,
    encode,
    encode_text,
    generator,
    splice,
    time_scale,
)
from latent_edit.types import Latent, Waveform

VOICE_FOLDER, STYLE_FOLDER, BRIDGE_PREFIX = "vits-mini", "clap-mini", "bridge-"
MAX_BATCH = 16  # pieces of text that a bridge samples together; more only costs memory

ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class Style:
    """What a prompt or a reference clip asks for. embedding: [1, D] as the CLAP gave it; centred: as a bridge wants it.

    asked: of each axis. reference: the clip, at the rate of the CLAP. notes: what a person should know about it, one
    line each.
    """

    embedding: Tensor
    centred: Tensor
    asked: PromptReading
    reference: Waveform | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Edit:
    """One edit, all of it, before anything is measured."""

    request: EditRequest
    source: Pieces
    style: Style
    timing: Timing
    scaled: Pieces
    before: Synthesis
    after: Synthesis


class LatentEditor:
    """A frozen voice, a CLAP, and the bridges that were trained for the two, by the names people know."""

    def __init__(
        self,
        vits: FrozenVits,
        style_encoder: StyleEncoder,
        bridges: dict[str, Bridge],
        refused: dict[str, str] | None = None,
    ) -> None:
        """bridges: by method. refused: methods whose bridge belongs to another voice or CLAP, with the reason."""
        self.vits = vits
        self.style_encoder = style_encoder
        self.bridges = bridges
        self.refused = refused or {}
        self.manners = load_manners()

    @classmethod
    def load(cls, root: Path | None = None) -> LatentEditor:
        """Load what lies below `root` (see `checkpoint.default_root`). Raises CheckpointError when it is damaged."""
        root = root or checkpoint.default_root()
        for folder in (root / VOICE_FOLDER, root / STYLE_FOLDER):
            checkpoint.verify(folder)
        vits, style_encoder = FrozenVits.load(root / VOICE_FOLDER), load_style_encoder(root / STYLE_FOLDER)
        bridges: dict[str, Bridge] = {}
        refused: dict[str, str] = {}
        for folder in sorted(root.glob(f"{BRIDGE_PREFIX}*")):
            checkpoint.verify(folder)
            method = folder.name.removeprefix(BRIDGE_PREFIX)
            try:
                bridges[method] = load_bridge(folder, vits, style_encoder)
            except CheckpointError as error:
                refused[method] = str(error)
        return cls(vits, style_encoder, bridges, refused)

    # -- the edit ------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def _edit(self, requests: Sequence[EditRequest], stage: StageClock) -> Iterator[Any]:
        """The edit. Yields what is before of each request, as soon as it is there, and at last an `Edit` of each.

        requests: of one method, number of steps and guidance, so that the bridge can sample them together.
        """
        with stage("text"):  # Z_text or Z_audio, in pieces
            sources = _each(lambda request: encode(self.vits, request), requests)
        with stage("before"):
            before = _each(lambda request, source: decode(self.vits, source, request.voice), requests, sources)
        yield before
        with stage("style"):  # CLAP
            styles = _each(self._embed_style, requests)
        with stage("time_scaling"):  # Z_source
            timings = _each(self._timing, requests, styles)
            scaled = _each(partial(time_scale, self.vits), sources, timings, requests)
        with stage("bridge"):  # Z'
            edited = [steps[-1] for steps in self._sample(requests, scaled, styles, stage)]
        with stage("correction"):
            edited = self._correct(requests, sources, scaled, edited, styles, stage)
        with stage("after"):
            after = _each(self._decode_after, requests, sources, scaled, edited)
        yield _each(Edit, requests, sources, styles, timings, scaled, before, after)

    def edit(self, request: EditRequest, progress: Progress | None = None) -> EditResult:
        """Speak a text plainly and in the style asked for. Raises InputError when the request cannot be served."""
        return self.edit_many([request], progress)[0]

    def edit_many(self, requests: Sequence[EditRequest], progress: Progress | None = None) -> list[EditResult]:
        """Edit requests together where method, steps and guidance are the same; each result is as if it were alone.

        `seconds` of a result are those of all that were edited together.
        """
        self._check_names(requests)
        alike: dict[tuple[str, int, float], list[int]] = defaultdict(list)
        for index, request in enumerate(requests):
            alike[request.method, request.steps, request.guidance].append(index)
        results: dict[int, EditResult] = {}
        for indices in alike.values():
            stage = StageClock(progress)
            *_, edits = self._edit([requests[index] for index in indices], stage)
            results.update(zip(indices, self._measure(edits, stage), strict=True))
        return [results[index] for index in range(len(requests))]

    def edit_in_parts(self, request: EditRequest, progress: Progress | None = None) -> Iterator[Synthesis | EditResult]:
        """What `edit` does, told as it goes: first the plain synthesis, as soon as it is there, at last the result."""
        self._check_names([request])
        stage = StageClock(progress)
        parts = self._edit([request], stage)
        yield next(parts)[0]
        yield self._measure(next(parts), stage)[0]

    def after(self, request: EditRequest) -> Synthesis:
        """What `edit` calls after, alone: nothing is measured. Raises InputError when the request cannot be served."""
        self._check_names([request])
        *_, [edit] = self._edit([request], StageClock(None))
        return edit.after

    @torch.no_grad()
    def correction_alone(
        self, request: EditRequest, start: Callable[[Latent, Mapping[str, AxisValue]], Latent] | None = None
    ) -> Synthesis:
        """A control: after without the bridge, which is Z_source corrected by the whole size of the style.

        start: what of each latent of Z_source, and of what is asked of each axis, the correction begins with; by
        default the latent itself. Raises InputError.
        """
        self._check_names([request])
        source, style, scaled = self._prepared(request)
        asked = self._asked(style)
        starts = [start(latent, asked) for latent in scaled.latents] if start and asked else scaled.latents
        corrected = [
            correct(self.vits, *each, asked, request.voice, reach=1.0, take=self._take(style, request, piece))
            for piece, each in enumerate(zip(source.latents, scaled.latents, starts, strict=True))
        ]
        return self._decode_after(request, source, scaled, corrected)

    @torch.no_grad()
    def samples(self, request: EditRequest, count: int) -> list[Latent]:
        """Z' of one request so many times: from the same source, by other noise of the bridge, without correction.

        Raises InputError.
        """
        self._check_names([request])
        _, style, scaled = self._prepared(request)
        requests = [replace(request, seed=request.seed + number) for number in range(count)]
        sampled = self._sample(requests, [scaled] * count, [style] * count, StageClock(None))
        return [scaled.towards(steps[-1], request.strength).joined() for steps in sampled]

    def say(self, text: str, voice: str, seed: int = 0) -> Synthesis:
        """The plain synthesis: what `edit` calls before. Raises InputError."""
        check_text(text)
        check_number("seed", seed)
        choose("voice", voice, self.voices)
        return decode(self.vits, encode_text(self.vits, text, voice, seed), voice)

    @torch.no_grad()
    def along_the_bridge(self, request: EditRequest, progress: Progress | None = None) -> dict[int, Synthesis]:
        """The way of an edit, decoded: Z_source, the clean latent that each step but the last predicts, and Z'.

        Each under the number of steps that lead there: not all of many, and fewer of a long text, as
        `progress.steps_to_decode` says. All have the length of after. Raises InputError.
        """
        self._check_names([request])
        stage = StageClock(progress)
        with stage("text"):
            source = encode(self.vits, request)
        with stage("style"):
            style = self._embed_style(request)
        with stage("time_scaling"):
            scaled = time_scale(self.vits, source, self._timing(request, style), request)
        decoded = steps_to_decode(request.steps, scaled.joined().z.shape[2] / self.vits.frames_per_second)
        with stage("bridge"):
            [sampled] = self._sample([request], [scaled], [style], stage, decoded)
        with stage("correction"):
            sampled[-1:] = self._correct([request], [source], [scaled], sampled[-1:], [style], stage)
        on_the_way = {step + 1: latents for step, latents in zip(decoded, sampled, strict=True)}
        synthesised: dict[int, Synthesis] = {}
        with stage("after"):
            for steps, latents in {0: list(scaled.latents), **on_the_way}.items():
                stage.tell("after", len(synthesised) / len(on_the_way))
                synthesised[steps] = self._decode_after(request, source, scaled, latents)
        return synthesised

    def read_prompt(self, prompt: str) -> PromptReading:
        """What a prompt asks for, as an edit understands it."""
        vocabulary = self.style_encoder if isinstance(self.style_encoder, Vocabulary) else None
        return read_prompt(prompt, vocabulary, self.manners)

    def repeat(self, record: Path, progress: Progress | None = None) -> EditResult:
        """The edit of an edit.json again. Raises CheckpointError when it was made with other checkpoints."""
        request = EditRequest.from_json(record)
        self.bridge(request.method)
        hashes = self.hashes(request.method, request.prompt)
        versions.refuse_other_checkpoints(read_record(record)["provenance"], hashes)
        return self.edit(request, progress)

    # -- its parts -----------------------------------------------------------------------------------------------

    def _prepared(self, request: EditRequest) -> tuple[Pieces, Style, Pieces]:
        """What a bridge starts from: Z_text or Z_audio, the style, and Z_source."""
        source, style = encode(self.vits, request), self._embed_style(request)
        return source, style, time_scale(self.vits, source, self._timing(request, style), request)

    def _embed_style(self, request: EditRequest) -> Style:
        """The prompt, or what the CLAP finds in the reference clip."""
        bridge = self.bridge(request.method)
        if request.reference is None:
            asked = self.read_prompt(request.prompt).corrected(request.axes)
            embedding = self.style_encoder.embed_text([asked.text])
            return Style(embedding, bridge.centred(embedding, "text"), asked)
        reference, measured = read_speech(request.reference, self.style_encoder.sampling_rate)
        embedding = self.style_encoder.embed_audio(with_its_level(self.style_encoder, reference, measured))
        found = {name: axis.value for name, axis in self.style_encoder.axes(embedding).items()}
        axes = tuple(AskedAxis(name, found.get(name, 0.0)) for name in AXES)
        asked = PromptReading("", "", axes, understood=True).corrected(request.axes)
        return Style(embedding, bridge.centred(embedding, "audio"), asked, reference, measured.notes)

    def _timing(self, request: EditRequest, style: Style) -> Timing:
        """As long as `_log_ratio` says; where a manner is acted, in its rhythm, in proportion to strength."""
        log_ratio, manner = self._log_ratio(request, style), style.asked.manner
        if manner is None or not self._corrected(request, style):
            return Timing(log_ratio)
        return Timing(log_ratio, request.strength * style.asked.manner_size * self.manners[manner].rhythm)

    def _corrected(self, request: EditRequest, style: Style) -> bool:
        """Whether method, request, voice and CLAP are for a correction; at guidance 0 nothing is asked for."""
        wanted = request.correction and request.guidance > 0 and self.bridge(request.method).config.correction
        return wanted and self.vits.has_source_filter and bool(self._asked(style))

    def _log_ratio(self, request: EditRequest, style: Style) -> float:
        """Logarithm of what durations are multiplied by: as asked, else from the style in proportion to strength.

        What words ask of the pace the prompt reader says, for a method whose axes are corrected; else the bridge.
        """
        if request.pace is not None:
            return math.log(request.pace)
        if request.guidance == 0:  # nothing is asked for
            return 0.0
        corrected = self.bridge(request.method).config.correction
        if PACE in style.asked.exact or (corrected and request.reference is None and style.asked.understood):
            return request.strength * style.asked.value(PACE)
        speaker = self.vits.speaker_embedding(request.voice)
        return request.strength * float(self.bridge(request.method).log_duration_ratio(style.centred, speaker)[0])

    def _sample(
        self,
        requests: Sequence[EditRequest],
        sources: Sequence[Pieces],
        styles: Sequence[Style],
        stage: StageClock,
        kept: Collection[int] = (),
    ) -> list[list[list[Latent]]]:
        """What the bridge makes of every piece of every edit, in padded batches.

        kept: steps whose clean latents are wanted besides the last. Of each edit, for each of these steps in order, the
        latent of every piece.
        """
        guidance, steps = requests[0].guidance, requests[0].steps
        bridge = self.bridge(requests[0].method)
        pieces = [(edit, piece) for edit, source in enumerate(sources) for piece in range(len(source.encodings))]
        sampled: list[list[list[Latent]]] = [[[] for _ in {*kept, steps - 1}] for _ in requests]
        for first in range(0, len(pieces), MAX_BATCH):
            batch = pieces[first : first + MAX_BATCH]
            source = Latent.collate([bridge.start(sources[edit].encodings[piece]) for edit, piece in batch])
            speakers = torch.cat([self.vits.speaker_embedding(requests[edit].voice) for edit, _ in batch])
            generators = [generator(requests[edit].seed, BRIDGE_STREAM, piece) for edit, piece in batch]
            style = torch.cat([styles[edit].centred for edit, _ in batch])
            f0_contour = self._f0_contour(bridge, source, speakers)
            place = 0
            for step, clean in enumerate(
                bridge.sample(source, style, speakers, guidance, steps, generators, f0_contour)
            ):
                stage.tell("bridge", (first + len(batch) * (step + 1) / steps) / len(pieces))
                if step in kept or step == steps - 1:
                    for row, (edit, _) in enumerate(batch):
                        sampled[edit][place].append(clean.item(row))
                    place += 1
        return sampled

    def _f0_contour(self, bridge: Bridge, source: Latent, speakers: Tensor) -> Tensor | None:
        """F0 contours [B, 2, T] of what the bridge starts from, where it is shown them."""
        if not bridge.config.prosody:
            return None
        contour_of = self.vits.source_filter_decoder.pitch.f0_contour
        own = [contour_of(source.item(row).z[0], speaker) for row, speaker in enumerate(speakers)]
        return torch.nn.utils.rnn.pad_sequence([contour.T for contour in own], batch_first=True).mT

    def _correct(
        self,
        requests: Sequence[EditRequest],
        sources: Sequence[Pieces],
        scaled: Sequence[Pieces],
        edited: Sequence[list[Latent]],
        styles: Sequence[Style],
        stage: StageClock,
    ) -> list[list[Latent]]:
        """What the bridge made, brought to the axes of its style where its method and the request are for that."""
        count, done = sum(map(len, edited)), 0
        corrected: list[list[Latent]] = []
        for request, source, start, latents, style in zip(requests, sources, scaled, edited, styles, strict=True):
            asked = self._asked(style) if self._corrected(request, style) else {}
            corrected.append([])
            for each in zip(source.latents, start.latents, latents, strict=True):
                stage.tell("correction", done / count)
                take = self._take(style, request, len(corrected[-1]))
                corrected[-1].append(correct(self.vits, *each, asked, request.voice, take=take) if asked else each[-1])
                done += 1
        return corrected

    def _take(self, style: Style, request: EditRequest, piece: int) -> Take | None:
        """How a piece is acted, where a manner that people act is asked for: another seed is another take."""
        asked = style.asked
        if asked.manner is None:
            return None
        random = np.random.default_rng([request.seed, ACTING_STREAM, piece])
        take = self.manners[asked.manner].take(random)
        return None if take is None else take.times(asked.manner_size)

    def _asked(self, style: Style) -> dict[str, AxisValue]:
        """What is asked of each axis, for the correction; nothing where the CLAP has no axis head."""
        if not self.style_encoder.axes(style.embedding):
            return {}
        exact = style.asked.exact
        return {
            axis.name: AxisValue(axis.value, AXES[axis.name].floor, axis.name in exact) for axis in style.asked.axes
        }

    def _decode_after(self, request: EditRequest, source: Pieces, scaled: Pieces, latents: list[Latent]) -> Synthesis:
        """As far as strength goes from Z_source to these latents; around words that alone are changed, Z_text."""
        after = splice(source, scaled.towards(latents, request.strength), self.vits.frames_per_second)
        return decode(self.vits, after, request.decode_voice or request.voice)

    def _measure(self, edits: Sequence[Edit], stage: StageClock) -> list[EditResult]:
        """What was made, with what is measured in it."""
        with stage("measure"):
            return [self._result(edit, stage.seconds) for edit in edits]

    def _result(self, edit: Edit, seconds: dict[str, float]) -> EditResult:
        request = edit.request
        z_source = splice(edit.source, edit.scaled, self.vits.frames_per_second)
        before, after = edit.before.waveform.item(0).numpy(), edit.after.waveform.item(0).numpy()
        if not (np.isfinite(before).all() and np.isfinite(after).all()):
            raise InputError("the edit ran out of the range of numbers; give a smaller guidance or strength")
        rate, phonemes = self.vits.sampling_rate, edit.source.phoneme_count
        # What is measured is what was to be changed.
        changed_before, changed_after = (
            samples[self._samples(pieces.frames())] for samples, pieces in ((before, edit.source), (after, z_source))
        )
        return EditResult(
            request=request,
            z_text=edit.before.latent,
            z_source=z_source.joined(),
            z_edit=edit.after.latent,
            phonemes_before=edit.before.phonemes,
            phonemes_after=edit.after.phonemes,
            before=edit.before.waveform,
            after=edit.after.waveform,
            gain=audio.shared_gain(before, after),
            measurements_before=measure(changed_before, rate, phonemes),
            measurements_after=measure(changed_after, rate, phonemes),
            style_similarity_before=self._similarity(changed_before, edit.style),
            style_similarity_after=self._similarity(changed_after, edit.style),
            unknown_words=edit.style.asked.not_understood,
            dropped_symbols=edit.before.dropped_symbols,
            notes=edit.before.notes + edit.style.asked.notes + edit.style.notes + _words_note(request),
            log_duration_ratio=edit.timing.log_ratio,
            seconds=seconds,
            provenance={"checkpoints": self.hashes(request.method, request.prompt), **versions.environment()},
            reference=edit.style.reference,
            recording=edit.source.recording,
            asked=edit.style.asked,
        )

    def _samples(self, frames: slice) -> slice:
        """The samples of these frames."""
        hop = self.vits.hop_length
        return slice(*(None if edge is None else hop * edge for edge in (frames.start, frames.stop)))

    def _similarity(self, samples: np.ndarray, style: Style) -> float:
        """Cosine of a clip [N] and a style in the CLAP's space, -1 to 1."""
        clip = Waveform.of(torch.from_numpy(samples), self.vits.sampling_rate)
        return float((self.style_encoder.embed_audio(clip) * style.embedding).sum())

    # -- what is loaded ------------------------------------------------------------------------------------------

    @property
    def voices(self) -> list[str]:
        """Names that a request may give as its voice."""
        return list(self.vits.speakers)

    @property
    def reads_english(self) -> bool:
        """Whether texts are normalised as English ones before they are read."""
        return self.vits.reads_english

    @property
    def methods(self) -> dict[str, str]:
        """Names that a request may give as its method, with one line about each."""
        return {name: bridge.config.title for name, bridge in self.bridges.items()}

    @property
    def default_method(self) -> str:
        """The method of a request that names none; where that one is not there, the first."""
        default = EditRequest.method
        return default if default in self.bridges else next(iter(self.bridges), default)

    def nearest_voice(self, recording: Path) -> str:
        """The voice that resynthesises a recording best. Raises InputError when it cannot be read."""
        return nearest_speaker(self.vits, cleaned(*read_speech(recording, self.vits.sampling_rate)))

    def bridge(self, method: str) -> Bridge:
        """The bridge of a method. Raises CheckpointError when there is none, InputError when the name is unknown."""
        if method in self.refused:
            raise CheckpointError(self.refused[method])
        if not self.bridges:
            raise CheckpointError(
                "there is no bridge for this voice; "
                "train one: python -m latent_edit train bridge --out checkpoints/bridge-i2sb"
            )
        return self.bridges[choose("method", method, self.bridges)]

    def hashes(self, method: str, prompt: str = "") -> dict[str, str]:
        """Content hashes of everything that an edit with `method` depends on; of manners if a prompt asks for one."""
        manners = {"manners": digest(self.manners)} if prompt and self.read_prompt(prompt).manner else {}
        words = getattr(self.style_encoder, "words_hash", None)  # of a CLAP that takes words as others
        return {
            "voice": self.vits.hash,
            "latent_space": self.vits.latent_hash,
            "style_encoder": self.style_encoder.hash,
            "bridge": self.bridge(method).hash,
            **manners,
            **({"words": words} if words else {}),
        }

    def _check_names(self, requests: Sequence[EditRequest]) -> None:
        """Refuse names that are not loaded before anything is spoken. Raises InputError that names the known ones."""
        for request in requests:
            self.bridge(request.method)
            choose("voice", request.voice, self.voices)
            if request.decode_voice is not None:
                choose("voice", request.decode_voice, self.voices)


def _words_note(request: EditRequest) -> tuple[str, ...]:
    if request.words is None:
        return ()
    first, last = request.words
    which = f"word {first} was" if first == last else f"words {first} to {last} were"
    return (f"Only {which} changed; what is measured is of what was changed.",)


def _each(function: Callable[..., ResultT], *values: Sequence[Any]) -> list[ResultT]:
    """`function` of the first of each of `values`, of the second of each, and so on."""
    return [function(*each) for each in zip(*values, strict=True)]
