"""The whole path: text -> Z_text -> bridge steered by a style -> Z' -> speech. Read this file first.

A recording may stand in for the text: its Z_audio then takes the place of Z_text.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from latent_edit import audio, checkpoint, provenance
from latent_edit.bridge import Bridge, load_bridge
from latent_edit.errors import CheckpointError, InputError
from latent_edit.measures import measure
from latent_edit.models.clap import StyleEncoder, load_style_encoder
from latent_edit.models.vits import FrozenVits
from latent_edit.reading import BRIDGE_STREAM, Reading, generator, hear, read, retime, speak
from latent_edit.recording import levelled, nearest_speaker
from latent_edit.request import EditRequest, check_number, check_text, choose, read_record
from latent_edit.result import EditResult, TimedPhoneme
from latent_edit.stages import Progress, StageClock
from latent_edit.types import Latent, Waveform

__all__ = ["EditRequest", "EditResult", "LatentEditor", "Speech", "TimedPhoneme"]

VOICE_FOLDER, STYLE_FOLDER, BRIDGE_PREFIX = "vits-mini", "clap-mini", "bridge-"
MAX_BATCH = 16  # pieces of text that cross the bridge together; more only costs memory


@dataclass
class _Edit:
    """One edit under way; each stage adds its part."""

    request: EditRequest
    speaker: int
    decode_speaker: int
    recording: Waveform | None = None
    z_text: Reading = field(init=False)
    before: Waveform = field(init=False)
    reference: Waveform | None = None
    style: Tensor = field(init=False)  # [1, D] as the CLAP gave it
    centred_style: Tensor = field(init=False)  # [1, D] as the bridge wants it
    log_ratio: float = 0.0
    z_source: Reading = field(init=False)
    z_edit: Reading = field(init=False)
    after: Waveform = field(init=False)


@dataclass(frozen=True)
class Speech:
    """A plain reading. latent: [1, C, T], sentences joined; phonemes with their seconds; notes: one line each."""

    latent: Latent
    waveform: Waveform
    phonemes: tuple[TimedPhoneme, ...]
    dropped_symbols: tuple[str, ...]
    notes: tuple[str, ...]


class LatentEditor:
    """A frozen voice, a CLAP and the bridges that were trained for the two."""

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

    @property
    def voices(self) -> list[str]:
        """Names that a request may give as its voice."""
        return list(self.vits.speakers)

    @property
    def methods(self) -> dict[str, str]:
        """Names that a request may give as its method, with one line about each."""
        return {name: bridge.config.title for name, bridge in self.bridges.items()}

    def edit(self, request: EditRequest, progress: Progress | None = None) -> EditResult:
        """Speak a text plainly and in the style asked for. Raises InputError when the request cannot be served."""
        return self._edit_alike([request], progress)[0]

    def edit_many(self, requests: Sequence[EditRequest], progress: Progress | None = None) -> list[EditResult]:
        """Edit requests together where method, steps and guidance are the same; each result is as if it were alone.

        `seconds` of a result are those of all that were edited together.
        """
        alike: dict[tuple[str, int, float], list[int]] = defaultdict(list)
        for index, request in enumerate(requests):
            alike[request.method, request.steps, request.guidance].append(index)
        results: dict[int, EditResult] = {}
        for indices in alike.values():
            edited = self._edit_alike([requests[index] for index in indices], progress)
            results.update(zip(indices, edited, strict=True))
        return [results[index] for index in range(len(requests))]

    def say(self, text: str, voice: str, seed: int = 0) -> Speech:
        """The plain reading: what `edit` calls before. Raises InputError."""
        check_text(text)
        check_number("seed", seed)
        speaker = self._speaker(voice)
        reading = read(self.vits, text, speaker, seed)
        waveform = speak(self.vits, reading, speaker)
        phonemes = reading.timed_phonemes(self._seconds_per_frame)
        return Speech(reading.latent(), waveform, phonemes, reading.dropped, _notes(reading))

    def nearest_voice(self, recording: Path) -> str:
        """The voice that says a recording again with the least change. Raises InputError when it cannot be read."""
        return nearest_speaker(self.vits, levelled(_heard(recording, self.vits.sampling_rate)))

    def repeat(self, record: Path, progress: Progress | None = None) -> EditResult:
        """The edit of an edit.json again. Raises CheckpointError when it was made with other checkpoints."""
        request = EditRequest.from_json(record)
        self._bridge(request.method)
        provenance.refuse_other_checkpoints(read_record(record)["provenance"], self.hashes(request.method))
        return self.edit(request, progress)

    @torch.no_grad()
    def _edit_alike(self, requests: Sequence[EditRequest], progress: Progress | None) -> list[EditResult]:
        """The flow, for requests that share method, steps and guidance."""
        bridge = self._bridge(requests[0].method)
        edits = [self._start(request) for request in requests]
        stage = StageClock(progress)
        with stage("text"):
            for edit in edits:
                edit.z_text = self._read(edit)
        with stage("before"):
            for edit in edits:
                edit.before = speak(self.vits, edit.z_text, edit.speaker)
        with stage("style"):
            for edit in edits:
                self._embed_style(bridge, edit)
        with stage("pace"):
            for edit in edits:
                edit.log_ratio = self._log_ratio(bridge, edit)
                edit.z_source = retime(self.vits, edit.z_text, edit.log_ratio, edit.speaker)
        with stage("bridge"):
            self._cross(bridge, edits, lambda share: stage.tell("bridge", share))
        with stage("after"):
            for edit in edits:
                edit.after = speak(self.vits, edit.z_edit, edit.decode_speaker)
        with stage("measure"):
            return [self._result(edit, stage.seconds) for edit in edits]

    def _start(self, request: EditRequest) -> _Edit:
        return _Edit(request, self._speaker(request.voice), self._speaker(request.decode_voice or request.voice))

    def _speaker(self, voice: str) -> int:
        return self.vits.speaker_id(choose("voice", voice, self.voices))

    def _bridge(self, method: str) -> Bridge:
        if method in self.refused:
            raise CheckpointError(self.refused[method])
        if not self.bridges:
            raise CheckpointError("there is no bridge for this voice; train one: python -m latent_edit train bridge")
        return self.bridges[choose("method", method, self.bridges)]

    def _read(self, edit: _Edit) -> Reading:
        request = edit.request
        if request.recording is not None:
            edit.recording = _heard(request.recording, self.vits.sampling_rate)
            return hear(self.vits, levelled(edit.recording), edit.speaker)
        return read(self.vits, request.text, edit.speaker, request.seed, request.prior_noise, request.duration_noise)

    def _embed_style(self, bridge: Bridge, edit: _Edit) -> None:
        """The prompt, or what is heard in the reference clip, as a style [1, D]."""
        if edit.request.reference is None:
            edit.style = self.style_encoder.embed_text([edit.request.prompt])
            edit.centred_style = bridge.centred(edit.style, "text")
            return
        rate = self.style_encoder.sampling_rate
        edit.reference = _heard(edit.request.reference, rate)
        edit.style = self.style_encoder.embed_audio(edit.reference)
        edit.centred_style = bridge.centred(edit.style, "audio")

    def _log_ratio(self, bridge: Bridge, edit: _Edit) -> float:
        """Logarithm of what durations are multiplied by: as asked, else from the style in proportion to strength."""
        if edit.request.pace is not None:
            return math.log(edit.request.pace)
        predicted = bridge.log_duration_ratio(edit.centred_style, self.vits.speaker_embedding(edit.speaker))
        return edit.request.strength * float(predicted[0])

    def _cross(self, bridge: Bridge, edits: Sequence[_Edit], tell: Callable[[float], None]) -> None:
        """Z' of every piece of every edit, in padded batches, then as far towards it as the strength says."""
        request = edits[0].request
        pieces = [(edit, index) for edit in edits for index in range(len(edit.z_source.encodings))]
        crossed: list[Latent] = []
        for first in range(0, len(pieces), MAX_BATCH):
            batch = pieces[first : first + MAX_BATCH]

            def on_step(step: int, steps: int, _: Tensor, done: int = first, size: int = len(batch)) -> None:
                tell((done + size * (step + 1) / steps) / len(pieces))

            z_edit = bridge.edit(
                Latent.collate([edit.z_source.encodings[index].latent for edit, index in batch]),
                torch.cat([edit.centred_style for edit, _ in batch]),
                torch.cat([self.vits.speaker_embedding(edit.speaker) for edit, _ in batch]),
                guidance=request.guidance,
                steps=request.steps,
                generators=[generator(edit.request.seed, BRIDGE_STREAM, index) for edit, index in batch],
                on_step=on_step,
            )
            crossed += [z_edit.item(row) for row in range(len(batch))]
        for edit in edits:
            own = [latent for (owner, _), latent in zip(pieces, crossed, strict=True) if owner is edit]
            edit.z_edit = edit.z_source.towards(own, edit.request.strength)

    def _result(self, edit: _Edit, seconds: dict[str, float]) -> EditResult:
        before, after = edit.before.item(0).numpy(), edit.after.item(0).numpy()
        if not (np.isfinite(before).all() and np.isfinite(after).all()):
            raise InputError("the edit ran out of the range of numbers; give a smaller guidance or strength")
        rate, phonemes = self.vits.sampling_rate, edit.z_text.phoneme_count
        prompted = edit.request.reference is None
        return EditResult(
            request=edit.request,
            z_text=edit.z_text.latent(),
            z_source=edit.z_source.latent(),
            z_edit=edit.z_edit.latent(),
            phonemes_before=edit.z_text.timed_phonemes(self._seconds_per_frame),
            phonemes_after=edit.z_edit.timed_phonemes(self._seconds_per_frame),
            before=edit.before,
            after=edit.after,
            gain=audio.shared_gain(before, after),
            measurements_before=measure(before, rate, phonemes),
            measurements_after=measure(after, rate, phonemes),
            style_similarity_before=self._similarity(edit.before, edit.style),
            style_similarity_after=self._similarity(edit.after, edit.style),
            unknown_words=tuple(self.style_encoder.unknown_words(edit.request.prompt)) if prompted else (),
            dropped_symbols=edit.z_text.dropped,
            notes=_notes(edit.z_text),
            log_duration_ratio=edit.log_ratio,
            seconds=seconds,
            provenance={"checkpoints": self.hashes(edit.request.method), **provenance.environment()},
            reference=edit.reference,
            recording=edit.recording,
        )

    def _similarity(self, heard: Waveform, style: Tensor) -> float:
        """Cosine of a clip and a style in the CLAP's space, -1 to 1."""
        return float((self.style_encoder.embed_audio(heard) * style).sum())

    def hashes(self, method: str) -> dict[str, str]:
        """Content hashes of everything that an edit with `method` depends on."""
        return {
            "voice": self.vits.hash,
            "latent_space": self.vits.latent_hash,
            "style_encoder": self.style_encoder.hash,
            "bridge": self._bridge(method).hash,
        }

    @property
    def _seconds_per_frame(self) -> float:
        return self.vits.hop_length / self.vits.sampling_rate


def _heard(clip: Path, rate: int) -> Waveform:
    return Waveform.of(torch.from_numpy(audio.read_audio(clip, rate)), rate)


def _notes(reading: Reading) -> tuple[str, ...]:
    return tuple(f"Nothing in {piece!r} can be pronounced; it was left out." for piece in reading.unread)
