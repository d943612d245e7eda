"""A recording's latent, brought nearer to what the decoder has to be given to say the recording again.

A posterior encoder answers for every recording with the same weights, and is a little off for each (the amortisation
gap): formants come out smeared. A few steps of gradient descent on the copy itself, from where the encoder points to,
close most of it: semi-amortised variational inference (Kim et al. 2018, arXiv 1802.02550, section 3).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from latent_edit.models.heard import as_condition, pitch_errors
from latent_edit.models.spectrogram import LogMel
from latent_edit.models.vits import FrozenVits
from latent_edit.types import Latent, Waveform

# Few and short: what keeps the latent near the posterior is that it cannot go far.
STEPS, RATE = 10, 0.05
MELODY_WEIGHT = 0.1  # of a semitone, beside a neper of the mel bands


def refined(
    vits: FrozenVits,
    latent: Latent,
    recording: Waveform,
    speaker: str | int,
    steps: int = STEPS,
    rate: float = RATE,
) -> Latent:
    """Near the latent [1, C, T] that the encoder gave for one recording, one whose copy is closer to it.

    The same brings any latent nearer to a sound that it is to be spoken as (see `articulation`).

    steps, rate: how many, and how far each may take a value of the latent. Closer in log-mel spectra of two
    resolutions; F0 and voicing stay as they are read from the encoder's latent. The decoder of the embedded voice is
    quick enough for it; for other voices the latent stays as it is.
    """
    if not vits.has_source_filter:
        return latent
    decoder, embedding = vits.source_filter_decoder, as_condition(vits.speaker_embedding(speaker))
    spectra = [
        LogMel(vits.sampling_rate, size, size // 4, bins=size // 8).to(latent.z.device)
        for size in (vits.fft_size, vits.fft_size // 2)
    ]
    samples = recording.samples[:, : latent.z.shape[2] * vits.hop_length]
    wanted = [log_mel(samples) for log_mel in spectra]
    pitch = decoder.pitch.pitch(latent.z, embedding)

    def distance(z: Tensor) -> Tensor:
        copy = decoder(z, embedding, pitch).squeeze(1)
        octaves, voicing = decoder.pitch(z, embedding)
        semitones, doubt = pitch_errors(octaves, voicing, pitch, latent.mask.squeeze(1))
        differences = [F.l1_loss(log_mel(copy), goal) for log_mel, goal in zip(spectra, wanted, strict=True)]
        return torch.stack(differences).mean() + MELODY_WEIGHT * (semitones + doubt)

    z = latent.z.clone().requires_grad_(True)
    optimizer = torch.optim.Adam([z], lr=rate)
    for _ in range(steps):
        with torch.enable_grad():
            (z.grad,) = torch.autograd.grad(distance(z), z)
        optimizer.step()
    return Latent(z.detach(), latent.mask)
