"""Energy of speech over time and over frequency, as manners that people act change it."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from latent_edit.manners import BAND_EDGES_HZ, FLOOR_DB, at_places
from latent_edit.models.spectrogram import linear_spectrogram
from latent_edit.types import Waveform

SPECTRUM_SIZE = 512  # samples


class Energies(NamedTuple):
    """Of a single clip, in dB against the mean. over_time: [PLACES] from the first to the last frame of speech; start,
    end: where these are, as shares of the clip. over_bands: between `manners.BAND_EDGES_HZ`, [B].
    """

    over_time: Tensor
    over_bands: Tensor
    start: float
    end: float


def energies(sound: Waveform, speech: Energies | None = None) -> Energies:
    """Of mono speech of a single item; speech: where it starts and ends, else that is found."""
    power = linear_spectrogram(sound.samples, SPECTRUM_SIZE, SPECTRUM_SIZE // 2)[0].square()
    total = power.sum(0)
    floor = total.max() * 10 ** (-FLOOR_DB / 10)
    active = (total >= floor).nonzero().squeeze(1)
    start, end = int(active[0]) / len(total), (int(active[-1]) + 1) / len(total)
    if speech is not None:
        start, end = speech.start, speech.end
    within = total[round(start * len(total)) : round(end * len(total))].clamp(min=floor)
    over_time = torch.from_numpy(
        at_places(10 * np.log10(within.numpy()), sound.sampling_rate / (SPECTRUM_SIZE // 2))
    ).to(power)
    hertz = torch.linspace(0, sound.sampling_rate / 2, len(power))
    edges = pairwise(BAND_EDGES_HZ)
    mean = power[:, active].mean(1)
    over_bands = 10 * torch.stack([mean[(hertz >= low) & (hertz < high)].sum() for low, high in edges]).log10()
    return Energies(over_time - over_time.mean(), over_bands - over_bands.mean(), start, end)
