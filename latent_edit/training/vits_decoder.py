"""Training of the decoder alone, from a pack (`data.pack`): the latent space stays as it is.

Needs torch, numpy and safetensors and none of the project's other packages, so that a rented GPU can run it:

    python -m latent_edit.training.vits_decoder PACK --out FOLDER
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from latent_edit.data.pack import DECODER, DISCRIMINATORS, FULL_SCALE, STYLED_SHARE, Pack
from latent_edit.errors import CheckpointError, InputError
from latent_edit.files import whole
from latent_edit.models.discriminators import (
    DISCRIMINATORS_NAME,
    Discriminators,
    discriminator_loss,
    feature_loss,
    generator_loss,
)
from latent_edit.models.source_filter_decoder import SourceFilterDecoder, with_subframes
from latent_edit.models.spectrogram import linear_spectrogram
from latent_edit.training import loop
from latent_edit.training.losses import multi_resolution_stft_loss

TRAINED_NAME = "decoder.safetensors"


@dataclass(frozen=True)
class DecoderSettings:
    """How a decoder is trained; a pack carries one of these, and the command line may change any.

    subframes: filters per frame (see `DecoderSizes`). posterior_noise: share of the posterior's deviation that is added
    to latents. styled_share: part of a batch that is only reconstructed. adversarial_share: part of the rest that the
    discriminators hear, cut to `adversarial_frames`.
    """

    subframes: int = 4
    steps: int = 20_000
    batch_size: int = 16
    segment_frames: int = 94
    adversarial_frames: int = 32
    adversarial_share: float = 1.0
    styled_share: float = STYLED_SHARE
    posterior_noise: float = 0.5
    learning_rate: float = 4e-4
    discriminator_learning_rate: float = 4e-4
    final_learning_rate_share: float = 0.05
    warmup_steps: int = 100
    adversarial_from: int = 0
    mel_weight: float = 45.0
    stft_weight: float = 22.0
    feature_weight: float = 2.0
    largest_gradient_norm: float = 50.0
    ema: float = 0.999
    bfloat16: bool = True
    seed: int = 0


_STATE = ("decoder", "averaged", "discriminators", "optimizer", "discriminator_optimizer")


class DecoderTask:
    """See `training.loop.Task`."""

    def __init__(self, pack: Pack, settings: DecoderSettings) -> None:
        self.pack, self.settings = pack, settings
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.bfloat16 = settings.bfloat16 and loop.has_bfloat16(self.device)
        self.decoder = SourceFilterDecoder(replace(pack.sizes, subframes=settings.subframes)).to(self.device).train()
        self.decoder.load_state_dict(with_subframes(pack.decoder, pack.sizes, settings.subframes))
        self.decoder.pitch.requires_grad_(False)  # the latents that it reads stay as they are
        self.discriminators = Discriminators().to(self.device)
        if pack.discriminators:
            self.discriminators.load_state_dict(pack.discriminators)
        self.mels = {size: filters.to(self.device) for size, filters in pack.mels.items()}
        self.speakers, self.deviation = pack.speakers.float().to(self.device), pack.deviation.to(self.device)
        self.parameters = [p for p in self.decoder.parameters() if p.requires_grad]
        options: dict[str, Any] = {"betas": (0.8, 0.99), "eps": 1e-9, "weight_decay": 0.01}  # as in VITS
        self.optimizer = torch.optim.AdamW(self.parameters, lr=settings.learning_rate, **options)
        self.discriminator_optimizer = torch.optim.AdamW(
            self.discriminators.parameters(), lr=settings.discriminator_learning_rate, **options
        )
        self.averaged = loop.moving_average(self.decoder, settings.ema)
        starts = F.pad(pack.frames.cumsum(0), (1, 0))[:-1]
        usable = pack.frames >= settings.segment_frames
        # Where segments may begin: a piece, drawn as often as it is long, and a frame of it.
        self._choices = {
            styled: [x[usable & (pack.styled == styled)].numpy() for x in (starts, pack.frames, pack.speaker)]
            + [pack.full_scale[usable & (pack.styled == styled)].numpy()]
            for styled in (False, True)
        }
        if not len(self._choices[False][0]):
            raise InputError(f"no recording of the pack has {settings.segment_frames} frames: take shorter segments")

    def segments(self, index: int, styled: bool, count: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Of step `index`: samples [B, T * hop_length], latents [B, C, T], F0 [B, T] and speakers [B, G, 1]."""
        length, hop = self.settings.segment_frames, self.pack.sizes.hop_length
        starts, frames, speaker, scale = self._choices[styled]
        draw = np.random.default_rng([self.settings.seed, index, int(styled)])
        chosen = draw.choice(len(starts), size=count, p=frames / frames.sum())
        first = starts[chosen] + (draw.random(count) * (frames[chosen] - length + 1)).astype(int)
        cuts = [slice(f, f + length) for f in first.tolist()]
        samples = torch.stack([self.pack.samples[c.start * hop : c.stop * hop] for c in cuts]).to(self.device).float()
        samples = samples * torch.from_numpy(scale[chosen] / FULL_SCALE).to(samples)[:, None]
        latents = torch.stack([self.pack.latents[c] for c in cuts]).to(self.device).float().mT
        pitch = torch.stack([self.pack.pitch[c] for c in cuts]).to(self.device).float()
        return samples, latents, pitch, self.speakers[torch.from_numpy(speaker[chosen]).to(self.device)].unsqueeze(2)

    def step(self, index: int) -> dict[str, float]:
        """Decoder, then discriminators."""
        settings = self.settings
        for optimizer, rate in (
            (self.optimizer, settings.learning_rate),
            (self.discriminator_optimizer, settings.discriminator_learning_rate),
        ):
            loop.set_learning_rate(
                optimizer, rate, index, settings.steps, settings.warmup_steps, settings.final_learning_rate_share
            )
        styled = round(settings.batch_size * settings.styled_share) if len(self._choices[True][0]) else 0
        natural = settings.batch_size - styled
        parts = [self.segments(index, False, natural)] + ([self.segments(index, True, styled)] if styled else [])
        real, latents, pitch, speaker = (torch.cat(values) for values in zip(*parts, strict=True))
        noise = torch.randn_like(latents[:natural]) * self.deviation[:, None] * settings.posterior_noise
        latents = torch.cat([latents[:natural] + noise, latents[natural:]])  # an edit's latent is what it is
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            generated = self.decoder(latents, speaker, pitch).squeeze(1).float()
        losses = {
            "mel": settings.mel_weight * self._mel_distance(real, generated),
            "stft": settings.stft_weight * multi_resolution_stft_loss(real, generated),
        }
        heard = round(natural * settings.adversarial_share)
        pending: tuple[list[Tensor], Tensor] | None = None
        if heard and index >= settings.adversarial_from:
            adversarial, pending = self._adversarial(real[:heard], generated[:heard])
            losses |= adversarial
        total = torch.stack(list(losses.values())).sum()
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        norm = nn.utils.clip_grad_norm_(self.parameters, settings.largest_gradient_norm)
        if not torch.isfinite(norm):
            raise RuntimeError(f"the gradient of step {index} is not finite: lower the learning rate and resume")
        self.optimizer.step()
        self.averaged.update_parameters(self.decoder)
        values = {name: float(loss.detach()) for name, loss in losses.items()} | {"gradient": float(norm)}
        return values | (self._train_discriminators(*pending) if pending else {})

    def _mel_distance(self, real: Tensor, generated: Tensor) -> Tensor:
        """Mean absolute difference of natural-log mel amplitudes, over several resolutions (DAC, arXiv 2306.06546)."""

        def log_mel(samples: Tensor, size: int) -> Tensor:
            return torch.log((self.mels[size] @ linear_spectrogram(samples, size, size // 4)).clamp(min=1e-5))

        return torch.stack([F.l1_loss(log_mel(generated, n), log_mel(real, n)) for n in self.mels]).mean()

    def _adversarial(self, real: Tensor, generated: Tensor) -> tuple[dict[str, Tensor], tuple[list[Tensor], Tensor]]:
        """The generator's losses on random crops, and what the discriminators' own step needs."""
        hop, frames = self.pack.sizes.hop_length, self.settings.adversarial_frames
        room = self.settings.segment_frames - frames + 1
        starts = torch.randint(max(1, room), (len(real),)).tolist()
        real, generated = (
            torch.stack([v[s * hop : (s + frames) * hop] for v, s in zip(values, starts, strict=True)])
            for values in (real, generated)
        )
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            real_scores, real_features = self.discriminators(real)
            self.discriminators.requires_grad_(False)
            scores, features = self.discriminators(generated)
            self.discriminators.requires_grad_(True)
        matching = self.settings.feature_weight * feature_loss(real_features, features)
        return {"adversarial": generator_loss(scores), "features": matching}, (real_scores, generated.detach())

    def _train_discriminators(self, real_scores: list[Tensor], generated: Tensor) -> dict[str, float]:
        """On the crops that the decoder was just judged by."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            loss = discriminator_loss(real_scores, self.discriminators(generated)[0])
        self.discriminator_optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.discriminator_optimizer.step()
        return {"discriminator": float(loss.detach())}

    def evaluate(self, index: int) -> dict[str, float]:  # noqa: ARG002
        """Nothing: a pack holds no held-out recordings."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """Networks, average and optimisers."""
        return {name: getattr(self, name).state_dict() for name in _STATE}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Strict: every part must fit."""
        for name in _STATE:
            getattr(self, name).load_state_dict(state[name])


def train(pack: Pack, folder: Path, settings: DecoderSettings, *, resume: bool = False, **options: Any) -> Path:
    """Train in `folder`, and write the averaged decoder and the discriminators there: the path of that file."""
    torch.manual_seed(settings.seed)
    task = DecoderTask(pack, settings)
    loop.run(task, folder, settings.steps, settings.seed, resume, **options)
    return write_trained(folder, pack.latent_space, settings.subframes)


def write_trained(folder: Path, latent_space: str, subframes: int) -> Path:
    """Averaged decoder and discriminators of a training state, as safetensors."""
    task = loop.read_state(folder)["task"]
    decoder = {k.removeprefix("module."): v for k, v in task["averaged"].items() if k.startswith("module.")}
    tensors = {DECODER + k: v for k, v in decoder.items()}
    tensors |= {DISCRIMINATORS + k: v for k, v in task["discriminators"].items()}
    path, about = folder / TRAINED_NAME, {"latent_space": latent_space, "subframes": str(subframes)}
    with whole(path) as partial:
        safetensors.torch.save_file({k: v.half().contiguous() for k, v in tensors.items()}, partial, about)
    return path


def export(trained: Path, voice: Path, latent_space: str, target: Path) -> None:
    """Write a voice checkpoint with the decoder that `train` left. latent_space: hash of that of `voice`.

    Raises CheckpointError for a decoder that was trained for another latent space.
    """
    from latent_edit import checkpoint  # with pydantic, which a machine that only trains may lack

    with safetensors.safe_open(trained, "pt") as file:
        about = file.metadata() or {}
    if about.get("latent_space") != latent_space:
        raise CheckpointError(
            f"{trained} was trained for the latents of another voice than {voice}; make its pack anew"
        )
    weights = checkpoint.load_tensors(trained.parent, trained.name)
    config = checkpoint.load_config(voice) | {"decoder_subframes": int(about["subframes"])}
    kept = {k: v for k, v in checkpoint.load_tensors(voice).items() if not k.startswith(DECODER)}
    checkpoint.save(target, config, kept | {k: v for k, v in weights.items() if k.startswith(DECODER)})
    discriminators = {
        k.removeprefix(DISCRIMINATORS): v.half() for k, v in weights.items() if k.startswith(DISCRIMINATORS)
    }
    with whole(target / DISCRIMINATORS_NAME) as partial:
        safetensors.torch.save_file(discriminators, partial)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Train the decoder of a voice from a pack.")
    parser.add_argument("pack", type=Path, help="file that `prepare pack` wrote")
    parser.add_argument("--out", type=Path, required=True, help="folder for the state and the trained decoder")
    parser.add_argument("--resume", action="store_true", help="continue an interrupted training")
    for option in fields(DecoderSettings):
        if option.name != "bfloat16":
            parser.add_argument(f"--{option.name.replace('_', '-')}", type=type(option.default), default=None)
    given = vars(parser.parse_args(arguments))
    torch.set_flush_denormal(True)
    path, out, resume = (given.pop(name) for name in ("pack", "out", "resume"))
    pack = Pack.load(path)
    settings = DecoderSettings(**pack.settings | {k: v for k, v in given.items() if v is not None})
    print(asdict(settings), flush=True)
    print(train(pack, out, settings, resume=resume))


if __name__ == "__main__":
    main()
