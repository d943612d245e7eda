"""The whole path: text -> Z_text -> bridge steered by a style -> landing -> Z' -> speech. Read this file first.

A recording may stand in for the text: its Z_audio then takes the place of Z_text.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from latent_edit import audio, provenance
from latent_edit.axes import AXES
from latent_edit.bridge import Bridge
from latent_edit.errors import InputError
from latent_edit.loaded import LoadedModels
from latent_edit.measures import measure
from latent_edit.models.clap import AxisValue
from latent_edit.prompts.reader import Vocabulary, read_prompt
from latent_edit.prompts.reading import AskedAxis, PromptReading
from latent_edit.reading import BRIDGE_STREAM, Reading, Speech, generator, hear, read, speak
from latent_edit.recording import levelled, nearest_speaker, read_clip
from latent_edit.request import EditRequest, check_number, check_text, read_record
from latent_edit.result import EditResult, TimedPhoneme
from latent_edit.stages import Progress, StageClock, steps_to_speak
from latent_edit.types import Latent, Waveform

__all__ = ["EditRequest", "EditResult", "LatentEditor", "Speech", "TimedPhoneme"]

PACE = "pace_log_ratio"
MAX_BATCH = 16  # pieces of text that cross the bridge together; more only costs memory

OnClean = Callable[[int, list[Latent]], None]
"""`on_clean(step, latents)`: the clean latents that a step predicts for the pieces of one batch."""


@dataclass
class _Edit:
    """One edit under way; each stage adds its part."""

    request: EditRequest
    speaker: int
    decode_speaker: int
    recording: Waveform | None = None
    z_text: Reading = field(init=False)
    before: Speech = field(init=False)
    reference: Waveform | None = None
    asked: PromptReading = field(init=False)
    style: Tensor = field(init=False)  # [1, D] as the CLAP gave it
    centred_style: Tensor = field(init=False)  # [1, D] as the bridge wants it
    log_ratio: float = 0.0
    z_source: Reading = field(init=False)
    crossed: list[Latent] = field(init=False)  # Z' of each piece at strength 1, as the bridge leaves it, then landed
    z_edit: Reading = field(init=False)
    after: Speech = field(init=False)


class LatentEditor(LoadedModels):
    """The path over what is loaded: a frozen voice, a CLAP and the bridges that were trained for the two."""

    def edit(self, request: EditRequest, progress: Progress | None = None) -> EditResult:
        """Speak a text plainly and in the style asked for. Raises InputError when the request cannot be served."""
        return self.edit_many([request], progress)[0]

    def edit_in_parts(self, request: EditRequest, progress: Progress | None = None) -> Iterator[Speech | EditResult]:
        """What `edit` does, told as it goes: first the plain reading, as soon as it is spoken, at last the result."""
        edits, stage = [self._start(request)], StageClock(progress)
        self._speak_plainly(edits, stage)
        yield edits[0].before
        self._change(edits, stage)
        yield self._results(edits, stage)[0]

    def along_the_bridge(self, request: EditRequest, progress: Progress | None = None) -> dict[int, Speech]:
        """The way of an edit, spoken: re-timed Z_text, the clean latent that each step but the last predicts, and Z'.

        Each under the number of steps that lead there: not all of many, and fewer of a long text, as
        `stages.steps_to_speak` says. All have the length of after. Raises InputError.
        """
        edit, stage = self._start(request), StageClock(progress)
        passed: list[list[Latent]] = [[] for _ in range(request.steps)]
        self._speak_plainly([edit], stage)
        self._set_out([edit], stage)
        with stage("bridge"):
            self._cross([edit], stage, lambda step, latents: passed[step].extend(latents))
        with stage("landing"):
            self._land([edit], stage)
        seconds = edit.z_source.latent().z.shape[2] * self.vits.hop_length / self.vits.sampling_rate
        taken = steps_to_speak(request.steps, seconds)
        between = {step + 1: edit.z_source.towards(passed[step], request.strength) for step in taken[:-1]}
        stops = {0: edit.z_source, **between, request.steps: edit.z_edit}
        spoken: dict[int, Speech] = {}
        with stage("after"):
            for steps, stop in stops.items():
                stage.tell("after", len(spoken) / len(stops))
                spoken[steps] = speak(self.vits, stop, edit.decode_speaker)
        return spoken

    def edit_many(self, requests: Sequence[EditRequest], progress: Progress | None = None) -> list[EditResult]:
        """Edit requests together where method, steps and guidance are the same; each result is as if it were alone.

        `seconds` of a result are those of all that were edited together.
        """
        alike: dict[tuple[str, int, float], list[int]] = defaultdict(list)
        for index, request in enumerate(requests):
            alike[request.method, request.steps, request.guidance].append(index)
        results: dict[int, EditResult] = {}
        for indices in alike.values():
            edits, stage = [self._start(requests[index]) for index in indices], StageClock(progress)
            self._speak_plainly(edits, stage)
            self._change(edits, stage)
            results.update(zip(indices, self._results(edits, stage), strict=True))
        return [results[index] for index in range(len(requests))]

    def after(self, request: EditRequest) -> Speech:
        """What `edit` calls after, alone: nothing is measured. Raises InputError when the request cannot be served."""
        edit, stage = self._start(request), StageClock(None)
        edit.z_text = self._read(edit)
        self._change([edit], stage)
        return edit.after

    def say(self, text: str, voice: str, seed: int = 0) -> Speech:
        """The plain reading: what `edit` calls before. Raises InputError."""
        check_text(text)
        check_number("seed", seed)
        speaker = self.speaker(voice)
        return speak(self.vits, read(self.vits, text, speaker, seed), speaker)

    def read_prompt(self, prompt: str) -> PromptReading:
        """What a prompt asks for, as an edit understands it."""
        return read_prompt(prompt, self.style_encoder if isinstance(self.style_encoder, Vocabulary) else None)

    def nearest_voice(self, recording: Path) -> str:
        """The voice that says a recording again with the least change. Raises InputError when it cannot be read."""
        return nearest_speaker(self.vits, levelled(read_clip(recording, self.vits.sampling_rate)))

    def repeat(self, record: Path, progress: Progress | None = None) -> EditResult:
        """The edit of an edit.json again. Raises CheckpointError when it was made with other checkpoints."""
        request = EditRequest.from_json(record)
        self.bridge(request.method)
        provenance.refuse_other_checkpoints(read_record(record)["provenance"], self.hashes(request.method))
        return self.edit(request, progress)

    def _speak_plainly(self, edits: Sequence[_Edit], stage: StageClock) -> None:
        """The flow, first part: Z_text and before."""
        with stage("text"):
            for edit in edits:
                edit.z_text = self._read(edit)
        with stage("before"):
            for edit in edits:
                edit.before = speak(self.vits, edit.z_text, edit.speaker)

    @torch.no_grad()
    def _set_out(self, edits: Sequence[_Edit], stage: StageClock) -> None:
        """The flow, second part: the style, and the re-timed Z_text from which the bridge starts."""
        bridge = self.bridge(edits[0].request.method)
        with stage("style"):
            for edit in edits:
                self._embed_style(bridge, edit)
        with stage("pace"):
            for edit in edits:
                edit.log_ratio = self._log_ratio(bridge, edit)
                request = edit.request
                edit.z_source = edit.z_text.at_pace(
                    self.vits, edit.speaker, edit.log_ratio, request.seed, request.prior_noise
                )

    @torch.no_grad()
    def _change(self, edits: Sequence[_Edit], stage: StageClock) -> None:
        """The flow from the second part on: across the bridge, landing and after."""
        self._set_out(edits, stage)
        with stage("bridge"):
            self._cross(edits, stage)
        with stage("landing"):
            self._land(edits, stage)
        with stage("after"):
            for edit in edits:
                edit.after = speak(self.vits, edit.z_edit, edit.decode_speaker)

    def _results(self, edits: Sequence[_Edit], stage: StageClock) -> list[EditResult]:
        """What was made, with what is measured in it."""
        with stage("measure"):
            return [self._result(edit, stage.seconds) for edit in edits]

    def _start(self, request: EditRequest) -> _Edit:
        self.bridge(request.method)  # refused before anything is spoken
        return _Edit(request, self.speaker(request.voice), self.speaker(request.decode_voice or request.voice))

    def _read(self, edit: _Edit) -> Reading:
        request = edit.request
        if request.recording is not None:
            edit.recording = read_clip(request.recording, self.vits.sampling_rate)
            return hear(self.vits, levelled(edit.recording), edit.speaker)
        return read(self.vits, request.text, edit.speaker, request.seed, request.prior_noise, request.duration_noise)

    def _embed_style(self, bridge: Bridge, edit: _Edit) -> None:
        """The prompt, or what is heard in the reference clip, as a style [1, D]."""
        if edit.request.reference is None:
            edit.asked = self.read_prompt(edit.request.prompt).corrected(edit.request.axes)
            edit.style = self.style_encoder.embed_text([edit.asked.text])
            edit.centred_style = bridge.centred(edit.style, "text")
            return
        rate = self.style_encoder.sampling_rate
        edit.reference = read_clip(edit.request.reference, rate)
        edit.style = self.style_encoder.embed_audio(edit.reference)
        edit.centred_style = bridge.centred(edit.style, "audio")
        heard = {name: axis.value for name, axis in self.style_encoder.axes(edit.style).items()}
        axes = tuple(AskedAxis(name, heard.get(name, 0.0)) for name in AXES)
        edit.asked = PromptReading("", "", axes, understood=True).corrected(edit.request.axes)

    def _log_ratio(self, bridge: Bridge, edit: _Edit) -> float:
        """Logarithm of what durations are multiplied by: as asked, else from the style in proportion to strength."""
        if edit.request.pace is not None:
            return math.log(edit.request.pace)
        if PACE in edit.asked.exact:
            return edit.request.strength * edit.asked.exact[PACE]
        predicted = bridge.log_duration_ratio(edit.centred_style, self.vits.speaker_embedding(edit.speaker))
        return edit.request.strength * float(predicted[0])

    def _cross(self, edits: Sequence[_Edit], stage: StageClock, on_clean: OnClean | None = None) -> None:
        """What the bridge makes of every piece of every edit, in padded batches."""
        request = edits[0].request
        bridge = self.bridge(request.method)
        pieces = [(edit, index) for edit in edits for index in range(len(edit.z_source.encodings))]
        crossed: list[Latent] = []
        for first in range(0, len(pieces), MAX_BATCH):
            batch = pieces[first : first + MAX_BATCH]
            source = Latent.collate([bridge.start(edit.z_source.encodings[index]) for edit, index in batch])

            def on_step(step: int, steps: int, clean: Tensor, done: int = first, mask: Tensor = source.mask) -> None:
                stage.tell("bridge", (done + len(mask) * (step + 1) / steps) / len(pieces))
                if on_clean:
                    on_clean(step, [Latent(clean, mask).item(row) for row in range(len(mask))])

            z_edit = bridge.edit(
                source,
                torch.cat([edit.centred_style for edit, _ in batch]),
                torch.cat([self.vits.speaker_embedding(edit.speaker) for edit, _ in batch]),
                guidance=request.guidance,
                steps=request.steps,
                generators=[generator(edit.request.seed, BRIDGE_STREAM, index) for edit, index in batch],
                on_step=on_step,
                intonation=self._intonation(bridge, source, batch),
            )
            crossed += [z_edit.item(row) for row in range(len(batch))]
        for edit in edits:
            edit.crossed = [latent for (owner, _), latent in zip(pieces, crossed, strict=True) if owner is edit]

    def _land(self, edits: Sequence[_Edit], stage: StageClock) -> None:
        """Z' of every edit: what crossed the bridge, brought to the axes of the style where its method is for that."""
        from latent_edit.models.landing import landed  # with transformers, which a first page does not need

        pieces, done = sum(len(edit.crossed) for edit in edits), 0
        for edit in edits:
            if edit.request.landing and self.bridge(edit.request.method).config.landing:
                asked = {axis.name: AxisValue(axis.value, AXES[axis.name].floor) for axis in edit.asked.axes}
                least = min(1.0, edit.request.guidance)
                # What is asked for counts from the plain reading; one at another pace may be a little higher or lower.
                starts = zip(edit.z_text.encodings, edit.z_source.encodings, strict=True)
                for index, (start, paced) in enumerate(starts):
                    stage.tell("landing", (done + index) / pieces)
                    edit.crossed[index] = landed(
                        self.vits, start.latent, paced.latent, edit.crossed[index], asked, edit.speaker, least,
                        exactly=edit.asked.exact.keys(),
                    )  # fmt: skip
            done += len(edit.crossed)
            edit.z_edit = edit.z_source.towards(edit.crossed, edit.request.strength)

    def _intonation(self, bridge: Bridge, source: Latent, batch: Sequence[tuple[_Edit, int]]) -> Tensor | None:
        """Melodies [B, 2, T] of what the bridge starts from, where it is shown them."""
        if not bridge.config.prosody:
            return None
        melody_of = self.vits.source_filter_decoder.pitch.intonation
        own = [
            melody_of(source.item(row).z[0], self.vits.speaker_embedding(edit.speaker)[0])
            for row, (edit, _) in enumerate(batch)
        ]
        return torch.nn.utils.rnn.pad_sequence([melody.T for melody in own], batch_first=True).mT

    def _result(self, edit: _Edit, seconds: dict[str, float]) -> EditResult:
        before, after = edit.before.waveform.item(0).numpy(), edit.after.waveform.item(0).numpy()
        if not (np.isfinite(before).all() and np.isfinite(after).all()):
            raise InputError("the edit ran out of the range of numbers; give a smaller guidance or strength")
        rate, phonemes = self.vits.sampling_rate, edit.z_text.phoneme_count
        return EditResult(
            request=edit.request,
            z_text=edit.before.latent,
            z_source=edit.z_source.latent(),
            z_edit=edit.after.latent,
            phonemes_before=edit.before.phonemes,
            phonemes_after=edit.after.phonemes,
            before=edit.before.waveform,
            after=edit.after.waveform,
            gain=audio.shared_gain(before, after),
            measurements_before=measure(before, rate, phonemes),
            measurements_after=measure(after, rate, phonemes),
            style_similarity_before=self._similarity(edit.before.waveform, edit.style),
            style_similarity_after=self._similarity(edit.after.waveform, edit.style),
            unknown_words=edit.asked.not_understood,
            dropped_symbols=edit.before.dropped_symbols,
            notes=edit.before.notes + edit.asked.notes,
            log_duration_ratio=edit.log_ratio,
            seconds=seconds,
            provenance={"checkpoints": self.hashes(edit.request.method), **provenance.environment()},
            reference=edit.reference,
            recording=edit.recording,
            asked=edit.asked,
        )

    def _similarity(self, clip: Waveform, style: Tensor) -> float:
        """Cosine of a clip and a style in the CLAP's space, -1 to 1."""
        return float((self.style_encoder.embed_audio(clip) * style).sum())
