"""Training of the embedded voice in four stages (docs/TRAINING.md).

1. `neutral`: natural recordings, everything trains: VITS (Kim et al. 2021, arXiv 2106.06103) with our decoder.
2. `styled`: text encoder, flow and durations are frozen; posterior encoder and decoder learn augmentations as well.
3. `text`: text encoder, flow and durations go on, to what the posterior encoder has become; then the latent space is
   declared.
4. `decoder`: only the decoder goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from latent_edit import checkpoint
from latent_edit.data.augmentations import Augmentations
from latent_edit.data.pitch import pitch_of_recordings
from latent_edit.data.speech import Speech
from latent_edit.data.styles import Style
from latent_edit.errors import CheckpointError, InputError
from latent_edit.files import whole
from latent_edit.models.embedded_vits import (
    DISCRIMINATORS_NAME,
    EmbeddedVits,
    EmbeddedVitsConfig,
    initialise_for_training,
    save_voice,
)
from latent_edit.models.vits import freeze
from latent_edit.training import loop
from latent_edit.training.f0_ranges import measure_ranges
from latent_edit.training.vits_config import VitsArchitecture, VitsTrainingConfig
from latent_edit.training.vits_task import Judge, VitsTask

# A shout may exceed full scale; this is the level that 16 bits stand for where augmentations are kept in memory.
STYLED_FULL_SCALE = 8.0


def build_voice(architecture: VitsArchitecture, speakers: list[str]) -> EmbeddedVits:
    """A new voice with random weights; speaker ids in the order of `speakers` (one alone has no embedding)."""
    sizes = architecture.model_dump()
    if len(speakers) == 1:
        sizes["speaker_embedding_size"] = 0
    config = EmbeddedVitsConfig(
        vocab_size=178,
        num_speakers=len(speakers),
        use_stochastic_duration_prediction=False,
        layerdrop=0.0,
        # The HiFi-GAN that VitsModel builds is replaced at once: keep it tiny.
        upsample_initial_channel=16,
        **sizes,
    )
    config.speakers = list(speakers)
    voice = EmbeddedVits(config)
    initialise_for_training(voice)
    return voice


def train(
    config: VitsTrainingConfig,
    stage_name: str,
    speech: Speech,
    runs: Path,
    *,
    resume: bool = False,
    styled: Speech | None = None,
    start_from: Path | None = None,
    judge: Judge | None = None,
) -> Path:
    """Run one stage in `runs`/`stage_name` and return that folder.

    A stage starts from the average of the stage before it, or from `start_from` (a voice checkpoint with its
    discriminators), or, the first one, from random weights; resumed, from its own state. Raises InputError.
    """
    stage = config.stage(stage_name)
    torch.manual_seed(config.seed)
    if resume:  # the rows of the speaker embedding are as they were, whatever the order of the corpus
        start: TrainedVoice | None = load_averaged(runs / stage_name)
    else:
        start = _start(config, stage_name, runs, start_from)
    voice = build_voice(config.architecture, sorted(set(speech.speakers)) if start is None else start.speakers)
    if start is not None:
        checkpoint.strict_load(voice, start.voice)
    task = VitsTask(config, stage, voice, speech, styled, judge)
    if start is not None:
        checkpoint.strict_load(task.discriminators, start.discriminators)
    own = config.model_copy(update={"stages": {stage_name: stage}})  # others may still change
    loop.run(task, runs / stage_name, stage.steps, config.seed, resume, own)
    return runs / stage_name


@dataclass(frozen=True)
class TrainedVoice:
    """Weights to go on from. speakers: names in the order of the rows of the voice's speaker embedding."""

    speakers: list[str]
    voice: dict[str, Tensor]
    discriminators: dict[str, Tensor]


def _start(config: VitsTrainingConfig, stage_name: str, runs: Path, start_from: Path | None) -> TrainedVoice | None:
    if start_from is not None:
        speakers = checkpoint.load_config(start_from).get("speakers")
        if not speakers:
            raise CheckpointError(f"{start_from} is no voice of the embedded kind; start from one that `train` wrote")
        weights = (checkpoint.load_tensors(start_from, name) for name in (checkpoint.TENSORS_NAME, DISCRIMINATORS_NAME))
        return TrainedVoice(speakers, *weights)
    names = list(config.stages)
    if names[0] == stage_name:
        return None
    before = names[names.index(stage_name) - 1]
    done, steps = loop.read_state(runs / before)["index"], config.stages[before].steps
    if done < steps:
        raise InputError(
            f"the stage {before} before it has {done:,} of {steps:,} steps: train it to the end (--resume)"
        )
    return load_averaged(runs / before)


def load_averaged(folder: Path) -> TrainedVoice:
    """Averaged weights of the voice, and the discriminators, of a training state. Raises InputError without one."""
    task = loop.read_state(folder)["task"]
    prefix = "module."
    averaged = {k.removeprefix(prefix): v for k, v in task["averaged"].items() if k.startswith(prefix)}
    return TrainedVoice(task["speakers"], averaged, task["discriminators"])


def export(config: VitsTrainingConfig, folder: Path, target: Path, speech: Speech) -> None:
    """Write the voice checkpoint of a training state: averaged weights, and the discriminators to go on from.

    speech: the training recordings, whose range of F0 its readings will have.
    """
    trained = load_averaged(folder)
    voice = build_voice(config.architecture, trained.speakers)
    checkpoint.strict_load(voice, trained.voice)
    voice.config.f0_ranges_semitones = measure_ranges(freeze(voice), speech)
    save_voice(voice, target, trained.discriminators)


def styled_speech(augmentations: Augmentations, hop_length: int) -> Speech:
    """The training augmentations that went through WORLD, neutral ones included, as recordings without text.

    Their F0 is tracked the first time and kept in the augmentations' folder.
    """
    items = [item for item in augmentations.of_split("train") if item.kind != "raw"]
    audio = [np.rint(a * (32767.0 / STYLED_FULL_SCALE)).astype(np.int16) for a in augmentations.audio(items)]
    kept = augmentations.folder / f"pitch-{hop_length}.npy"
    if not kept.is_file():
        # A whisper has no voicing, whatever a tracker finds in its noise.
        scales = [0.0 if Style(*item.style).is_whisper else STYLED_FULL_SCALE / 32767.0 for item in items]
        voiced = (a.astype(np.float32) * scale for a, scale in zip(audio, scales, strict=True))
        with whole(kept) as partial, partial.open("wb") as file:
            np.save(file, pitch_of_recordings(voiced, augmentations.sampling_rate, hop_length))
    return Speech(
        samples=np.concatenate(audio),
        offsets=np.cumsum([0, *map(len, audio)]),
        pitch=np.load(kept),
        ids=[[0]] * len(items),
        speakers=[item.speaker for item in items],
        texts=[item.text for item in items],
        sampling_rate=augmentations.sampling_rate,
        hop_length=hop_length,
        full_scale=STYLED_FULL_SCALE,
    )
