"""Readings as lively as the voice's recordings.

A text encoder says what is likely, and the mean of all the ways to say a sentence is flatter than any of them. Of
synthesis by statistics this is known as over-smoothing; the remedy is to give trajectories the variance that natural
ones have ("global variance", Toda and Tokuda 2007, IEICE Transactions E90-D 5). Here only F0 needs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from latent_edit.models.harmonic_source import HIGHEST_HZ, LOWEST_HZ
from latent_edit.models.heard import as_condition
from latent_edit.models.melody import spread, towards, trend, widened
from latent_edit.models.projections import approach
from latent_edit.types import Latent

if TYPE_CHECKING:
    from latent_edit.models.vits import FrozenVits


MOST = 2.0  # times as far from the median as the text side has it


@torch.no_grad()
def livelier(vits: FrozenVits, latent: Latent, speaker: str | int) -> Latent:
    """Near a latent [1, C, T] that was read from a text, one whose F0 has the range that recordings of the voice have.

    Its slow part, the intonation, moves farther from its median, up to `MOST` times in octaves. What is quicker stays,
    so do voicing, a latent that is wide enough already, and one with hardly any voice.
    """
    wanted = vits.intonation_ranges[vits.speaker_id(speaker)] / 12
    if not wanted:
        return latent
    predict, embedding = vits.source_filter_decoder.pitch, as_condition(vits.speaker_embedding(speaker))
    pitch = predict.pitch(latent.z, embedding)
    voiced = pitch > 0
    octaves = torch.log2(pitch[voiced])
    if len(octaves) < 2 or spread(octaves) >= wanted:
        return latent
    slow = trend(pitch[0], vits.sampling_rate / vits.hop_length)
    lively = widened(slow, octaves - slow, wanted, MOST)
    pitch[voiced] = torch.exp2(lively - lively.median() + octaves.median()).clamp(LOWEST_HZ, HIGHEST_HZ)
    return Latent(approach(latent.z, [towards(predict, embedding, latent.z, pitch)]), latent.mask)
