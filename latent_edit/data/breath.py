"""Light breath in latents.

VITS's posterior encoder hardly hears it: decoded again, a breathy rendition is nearly clear. The decoder can speak
breathily all the same. So the latent of light breath is not looked up with the encoder but sought with the decoder.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from latent_edit.data.world import breath_share
from latent_edit.models.heard import Heard, as_condition, hear, heard_difference, in_subframes, pulses_over_noise
from latent_edit.models.vits import FrozenVits
from latent_edit.types import Latent

STEPS, RATE = 20, 0.25
NEARNESS = 0.3  # weight of the mean squared distance to the clear voice


def with_breath(vits: FrozenVits, latent: Latent, speaker: str, breathiness: float) -> Latent:
    """The latent [1, C, T] near a clear one that the voice speaks as breathily as WORLD would, melody and level kept.

    Gradient descent (Adam) on what the frozen decoder is heard to do. Only the embedded voice can be asked for it
    (InputError).
    """
    decoder, embedding = vits.source_filter_decoder, vits.speaker_embedding(speaker)
    clear = hear(decoder, latent.z, embedding)
    goal = _breathy(clear, breathiness, vits.sampling_rate)
    full = _level(vits, latent.z, embedding, clear.pitch)
    z = latent.z.clone().requires_grad_(True)
    optimizer = torch.optim.Adam([z], lr=RATE)
    slowing = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.1, STEPS)
    for step in range(STEPS):
        if step == STEPS // 2:  # the noise falls short of its goal, and the voice would become quieter
            level = _level(vits, z.detach(), embedding, clear.pitch)
            goal = replace(goal, noise=goal.noise + full - level, pulse=goal.pulse + full - level)
        with torch.enable_grad():
            loss = heard_difference(decoder, z, goal, embedding, latent.mask)
            loss = loss + NEARNESS * (z - latent.z).square().mean()
            (z.grad,) = torch.autograd.grad(loss, z)
        optimizer.step()
        slowing.step()
    return Latent(z.detach(), latent.mask)


def _breathy(heard: Heard, breathiness: float, sampling_rate: int) -> Heard:
    """A share of the power of the pulses becomes noise."""
    bins = heard.noise.shape[1]
    share = torch.from_numpy(breath_share(sampling_rate, bins, breathiness)).to(heard.noise)[:, None]
    pitch = in_subframes(heard.pitch)
    relative = pulses_over_noise(pitch, sampling_rate)
    noise = torch.logaddexp(2 * heard.noise, 2 * heard.pulse + (share * relative).log()) / 2
    return replace(
        heard,
        noise=torch.where(pitch > 0, noise, heard.noise),
        pulse=heard.pulse + torch.log1p(-share) / 2,
    )


def _level(vits: FrozenVits, z: Tensor, embedding: Tensor, pitch: Tensor) -> Tensor:
    """Logarithm of the RMS of a latent as spoken with this F0."""
    with torch.no_grad():
        return vits.source_filter_decoder(z, as_condition(embedding), pitch).square().mean().sqrt().log()
