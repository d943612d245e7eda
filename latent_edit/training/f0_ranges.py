"""How far F0 moves in the recordings of a voice: one number a speaker, measured, not learnt."""

from __future__ import annotations

import numpy as np
import torch

from latent_edit.data.speech import Speech
from latent_edit.models.f0_contours import f0_range
from latent_edit.models.vits import FrozenVits
from latent_edit.optimize.decoder_params import SpeakerDecoder
from latent_edit.types import Waveform

RECORDINGS = 100  # of each voice
SEED = 0
LEAST_VOICED_FRAMES = 30


def measure_ranges(vits: FrozenVits, speech: Speech) -> list[float]:
    """Geometric mean of the range of F0 in a sentence, in semitones, of each of `vits.speakers` in their order.

    F0 as the decoder reads it from the latents of recordings, so that it is the same measure as in a plain synthesis.
    speech: training recordings. 0 where a speaker has none, or none with voice: what it synthesises stays as it is.
    """
    ranges = []
    for name in vits.speakers:
        own = [index for index, speaker in enumerate(speech.speakers) if speaker == name]
        chosen = np.random.default_rng(SEED).permutation(len(own))[:RECORDINGS]
        measured = [octaves for i in chosen if (octaves := _range(vits, speech, own[i])) is not None]
        ranges.append(round(12 * float(np.exp(np.log(measured).mean())), 2) if measured else 0.0)
    return ranges


def _range(vits: FrozenVits, speech: Speech, index: int) -> float | None:
    """Of one recording, in octaves; None where hardly anything is voiced."""
    name, audio = speech.speakers[index], torch.from_numpy(speech.audio(index))
    latent = vits.encode_speech(Waveform.of(audio, vits.sampling_rate), name)
    f0 = SpeakerDecoder.of(vits, name).f0(latent.z)
    voiced = f0[f0 > 0]
    return f0_range(torch.log2(voiced)) if len(voiced) >= LEAST_VOICED_FRAMES else None
