"""Light breath in latents.

VITS's posterior encoder hardly hears it: decoded again, a breathy rendition is nearly clear. The decoder can speak
breathily all the same. So the latent of light breath is not looked up with the encoder but sought with the decoder.
"""

from __future__ import annotations

import torch

from latent_edit.models.heard import breathy, hear, heard_difference
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
    goal = breathy(clear, breathiness, vits.sampling_rate)
    z = latent.z.clone().requires_grad_(True)
    optimizer = torch.optim.Adam([z], lr=RATE)
    slowing = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.1, STEPS)
    for _ in range(STEPS):
        with torch.enable_grad():
            loss = heard_difference(decoder, z, goal, embedding, latent.mask)
            loss = loss + NEARNESS * (z - latent.z).square().mean()
            (z.grad,) = torch.autograd.grad(loss, z)
        optimizer.step()
        slowing.step()
    return Latent(z.detach(), latent.mask)
