"""The last step of the embedded voice: its decoder is taught light breath.

With the latents that `optimize.corrections.breathy` finds it is breathy, but recordings taught it no better than to
put the noise among the first harmonics, where it hides F0, and little above them, where breath is. So a copy learns to
make of those latents what the original makes of the clear ones and breath adds to that, and of all others what the
original does: knowledge distillation (Hinton et al. 2015, arXiv 1503.02531). The latent space, F0 and voicing stay as
they were.
"""

from __future__ import annotations

import json
import shutil
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from latent_edit import checkpoint
from latent_edit.data.augmentations import Augmentation, Augmentations
from latent_edit.data.styles import Style
from latent_edit.errors import InputError
from latent_edit.files import whole
from latent_edit.models.embedded_vits import DISCRIMINATORS_NAME
from latent_edit.optimize.corrections import breathy, natural_f0
from latent_edit.optimize.decoder_params import DecoderParameters, SpeakerDecoder
from latent_edit.optimize.objectives import octave_weights
from latent_edit.request import EditRequest
from latent_edit.training import loop
from latent_edit.training.vits_config import BreathConfig
from latent_edit.types import Latent, Waveform

if TYPE_CHECKING:
    from latent_edit.models.source_filter_decoder import SourceFilterDecoder
    from latent_edit.models.vits import FrozenVits

LONGEST = 400  # frames; to seek breath in a longer latent takes its time


@dataclass(frozen=True)
class Pair:
    """The same speech clear and breathy: latents [1, C, T]. Of a whisper, which is not sought, both are the same."""

    speaker: str
    breathiness: float
    clear: Tensor
    breathy: Tensor


def seek_pairs(config: BreathConfig, vits: FrozenVits, augmentations: Augmentations, path: Path) -> list[Pair]:
    """Pairs of training augmentations, and of readings of their texts by turns; kept in a file for when it goes on.

    Raises InputError when that file is of another voice, or where there are too few augmentations to learn from.
    """
    import safetensors.torch

    if path.is_file():
        return _read_pairs(path, vits.hash)
    draw = np.random.default_rng(config.seed)
    items = [
        item
        for item in augmentations.of_split("train")
        if Style(*item.style).breathiness == 0 or Style(*item.style).is_whisper
    ]
    pairs: list[Pair] = []
    for index in draw.permutation(len(items)).tolist():
        clear = _clear(vits, augmentations, items[index], spoken=len(pairs) % 2 == 0, seed=index)
        if not config.segment_frames <= clear.z.shape[2] <= LONGEST:
            continue
        speaker, amount = items[index].speaker, float(draw.uniform(*config.breathiness))
        whispered = Style(*items[index].style).is_whisper
        sought = clear if whispered else breathy(vits, clear, speaker, amount)
        pairs.append(Pair(speaker, 0.0 if whispered else amount, clear.z, sought.z))
        if len(pairs) == config.pairs:
            break
    if len(pairs) <= config.held_out_pairs:
        raise InputError(
            f"only {len(pairs)} augmentations are long enough to seek breath in, "
            f"{config.held_out_pairs} of them held out; prepare augmentations of more recordings"
        )
    tensors = {f"{i}.{name}": getattr(p, name).half() for i, p in enumerate(pairs) for name in ("clear", "breathy")}
    told = json.dumps([[p.speaker, p.breathiness] for p in pairs])
    with whole(path) as partial:
        safetensors.torch.save_file(
            {k: v.contiguous().clone() for k, v in tensors.items()}, partial, {"pairs": told, "voice": vits.hash}
        )
    return _read_pairs(path, vits.hash)


def _read_pairs(path: Path, voice: str) -> list[Pair]:
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        if file.metadata()["voice"] != voice:
            raise InputError(f"{path} was sought with another voice: delete the folder and train again")
        told = json.loads(file.metadata()["pairs"])
        latents = ([file.get_tensor(f"{i}.{name}").float() for name in ("clear", "breathy")] for i in range(len(told)))
        return [Pair(*words, *both) for words, both in zip(told, latents, strict=True)]


def _clear(vits: FrozenVits, augmentations: Augmentations, item: Augmentation, spoken: bool, seed: int) -> Latent:
    """A plain synthesis of the text, or the augmentation itself: where it is a whisper, or where it is wanted."""
    if spoken and not Style(*item.style).is_whisper:
        generator = torch.Generator().manual_seed(seed)
        phonemes = vits.phonemize(item.text)
        encoding = vits.encode_text(phonemes, item.speaker, prior_noise=EditRequest.prior_noise, generator=generator)
        return natural_f0(vits, encoding.latent, item.speaker)
    (samples,) = augmentations.audio([item])
    return vits.encode_speech(Waveform.of(torch.from_numpy(samples), vits.sampling_rate), item.speaker)


@dataclass(frozen=True)
class Lesson:
    """A latent [1, C, T] of a speaker [1, G], and the decoder parameters that it should give."""

    latent: Tensor
    embedding: Tensor
    goal: DecoderParameters

    def cut(self, start: int, frames: int) -> Lesson:
        """So many frames from a start on."""
        goal, end = self.goal, start + frames
        within = slice(goal.subframes * start, goal.subframes * end)
        noise, pulses, phase = (values[:, :, within] for values in (goal.noise, goal.pulses, goal.phase))
        parameters = DecoderParameters(goal.f0[:, start:end], noise, pulses, phase, goal.sampling_rate)
        return Lesson(self.latent[:, :, start:end], self.embedding, parameters)


class BreathTask:
    """See `training.loop.Task`."""

    def __init__(self, config: BreathConfig, vits: FrozenVits, pairs: list[Pair]) -> None:
        self.config, self.vits, self.original = config, vits, vits.source_filter_decoder
        self.decoder = deepcopy(self.original).requires_grad_(True)
        self.decoder.pitch.requires_grad_(False)
        parameters = [parameter for parameter in self.decoder.parameters() if parameter.requires_grad]
        self.optimizer = torch.optim.AdamW(parameters, lr=config.learning_rate, weight_decay=0.0)
        held_out, learnt = pairs[: config.held_out_pairs], pairs[config.held_out_pairs :]
        self.held_out, self.lessons = ([x for pair in part for x in self._lessons(pair)] for part in (held_out, learnt))
        octaves = octave_weights(self.original.filter_size // 2 + 1)
        # Half of it bin by bin: the lowest octaves have few bins, and what is to be learnt is mostly above.
        self.weights = ((octaves + 1 / len(octaves)) / 2).to(self.decoder.noise_filter.weight)

    @torch.no_grad()
    def _lessons(self, pair: Pair) -> list[Lesson]:
        """The clear latent stays as it is, and the breathy one becomes what is clear with breath."""
        embedding = self.vits.speaker_embedding(pair.speaker)
        clear, sought = pair.clear.to(embedding), pair.breathy.to(embedding)
        analysed = SpeakerDecoder.embedded(self.original, embedding).analyse(clear)
        lessons = [Lesson(clear, embedding, analysed)]
        if pair.breathiness:
            lessons.append(Lesson(sought, embedding, analysed.breathy(pair.breathiness)))
        return lessons

    def step(self, index: int) -> dict[str, float]:
        """One optimisation step."""
        config = self.config
        draw, frames = np.random.default_rng([config.seed, index]), config.segment_frames
        chosen = [self.lessons[i] for i in draw.integers(len(self.lessons), size=config.batch_size)]
        losses = self._losses([x.cut(int(draw.integers(x.latent.shape[2] - frames + 1)), frames) for x in chosen])
        loop.set_learning_rate(
            self.optimizer,
            config.learning_rate,
            index,
            config.steps,
            config.warmup_steps,
            config.final_learning_rate_share,
        )
        self.optimizer.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()
        nn.utils.clip_grad_norm_(self.decoder.parameters(), 1.0)
        self.optimizer.step()
        return {name: float(loss.detach()) for name, loss in losses.items()}

    def _losses(self, lessons: list[Lesson]) -> dict[str, Tensor]:
        """Mean absolute differences of both filters in nepers, and of the phases 1 - cos; pulses where it is voiced."""
        latent, embedding = (torch.cat([getattr(x, name) for x in lessons]) for name in ("latent", "embedding"))
        names = ("f0", "noise", "pulses", "phase")
        f0, noise, pulses, phase = (torch.cat([getattr(x.goal, name) for x in lessons]) for name in names)
        goal = DecoderParameters(f0, noise, pulses, phase, lessons[0].goal.sampling_rate)
        f0 = SpeakerDecoder.embedded(self.original, embedding).f0(latent)
        found = SpeakerDecoder.embedded(self.decoder, embedding).analyse(latent, f0)
        voiced = goal.filter_frames(((goal.f0 > 0) & (f0 > 0)).to(found.noise))
        share = (self.weights * voiced) / voiced.sum().clamp(min=1)
        return {
            "noise": ((found.noise - goal.noise).abs() * self.weights).sum(1).mean(),
            "pulses": ((found.pulses - goal.pulses).abs() * share).sum(),
            "phase": ((1 - (found.phase - goal.phase).cos()) * share).sum(),
        }

    @torch.no_grad()
    def evaluate(self, index: int) -> dict[str, float]:  # noqa: ARG002
        """The losses on pairs that are not learnt from, from their beginning."""
        losses = self._losses([lesson.cut(0, self.config.segment_frames) for lesson in self.held_out])
        return {f"held_out_{name}": float(loss) for name, loss in losses.items()}

    def state_dict(self) -> dict[str, Any]:
        """Decoder and optimiser."""
        return {"decoder": self.decoder.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Inverse of `state_dict`."""
        self.decoder.load_state_dict(state["decoder"])
        self.optimizer.load_state_dict(state["optimizer"])


def train(
    config: BreathConfig, vits: FrozenVits, augmentations: Augmentations, folder: Path, *, resume: bool = False
) -> SourceFilterDecoder:
    """The decoder of a voice, taught light breath. Raises InputError for a voice whose decoder has no filters."""
    folder.mkdir(parents=True, exist_ok=True)
    if resume:
        loop.read_state(folder)  # said before it seeks
    task = BreathTask(config, vits, seek_pairs(config, vits, augmentations, folder / "pairs.safetensors"))
    loop.run(task, folder, config.steps, config.seed, resume, config, evaluate_every=100)
    return task.decoder


def export(decoder: SourceFilterDecoder, voice: Path, target: Path) -> None:
    """Write a voice checkpoint with another decoder; its discriminators, which did not learn, go along."""
    tensors = checkpoint.load_tensors(voice) | {f"decoder.{k}": v for k, v in decoder.state_dict().items()}
    checkpoint.save(target, checkpoint.load_config(voice), tensors)
    if (voice / DISCRIMINATORS_NAME).is_file() and voice.resolve() != target.resolve():
        shutil.copyfile(voice / DISCRIMINATORS_NAME, target / DISCRIMINATORS_NAME)
