"""Inversion: what a recording's latent gains from a few steps towards the recording, and what it keeps."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from synthetic_speech import speech_like
from tiny_voices import RATE, tiny_voice, transformers_voice

from latent_edit.editor import LatentEditor
from latent_edit.models.spectrogram import LogMel
from latent_edit.models.vits import FrozenVits, freeze
from latent_edit.optimize.corrections import INVERSION, SoundMatching, invert, sounding_like
from latent_edit.optimize.decoder_params import SpeakerDecoder
from latent_edit.types import Latent, Waveform

RECORDING = Waveform.of(torch.from_numpy(speech_like(1.0, RATE)), RATE)


def distance(vits: FrozenVits, latent: Latent, recording: Waveform, speaker: str) -> float:
    """Mean difference of log-mel spectra, in nepers, at a resolution that inversion does not look at."""
    log_mel = LogMel(RATE, 800, 200, 60)
    copy = vits.decode(latent, speaker).samples
    return float((log_mel(copy) - log_mel(recording.samples[:, : copy.shape[1]])).abs().mean())


def test_a_resynthesis_comes_nearer_and_the_latent_stays_near_the_posterior() -> None:
    vits = freeze(tiny_voice())
    latent = vits.encode_speech(RECORDING, "anna")
    start = latent.z.clone()
    with torch.no_grad():  # as in an edit
        better = invert(vits, latent, RECORDING, "anna")
    assert distance(vits, better, RECORDING, "anna") < distance(vits, latent, RECORDING, "anna")
    assert 0 < (better.z - latent.z).abs().max() <= 1.5 * INVERSION.descent.steps * INVERSION.descent.rate
    with torch.no_grad():
        free = sounding_like(vits, latent, RECORDING, "anna", SoundMatching(INVERSION.descent))
    assert (better.z - latent.z).square().mean() < 0.7 * (free.z - latent.z).square().mean()
    assert torch.equal(latent.z, start)
    assert torch.equal(better.mask, latent.mask)
    assert not better.z.requires_grad
    assert torch.equal(invert(vits, latent, RECORDING, "anna").z, better.z)  # nothing is drawn


def test_the_speaker_is_the_one_who_says_it() -> None:
    vits = freeze(tiny_voice())
    latent = vits.encode_speech(RECORDING, "anna")
    assert not torch.equal(invert(vits, latent, RECORDING, "anna").z, invert(vits, latent, RECORDING, "ben").z)


@pytest.mark.shipped
def test_the_shipped_voice_resynthesises_closer_with_the_same_f0(shipped_editor: LatentEditor) -> None:
    """One voice's synthesis encoded as another's: nothing that its encoder was trained on."""
    vits = shipped_editor.vits
    phonemes, draw = vits.phonemize("The old clock on the wall had stopped."), torch.Generator().manual_seed(0)
    recording = vits.decode(vits.encode_text(phonemes, "kathleen", generator=draw).latent, "kathleen")
    latent = vits.encode_speech(recording, "sam_a")
    better = invert(vits, latent, recording, "sam_a")
    assert distance(vits, better, recording, "sam_a") < 0.97 * distance(vits, latent, recording, "sam_a")
    one, other = (SpeakerDecoder.of(vits, "sam_a").f0(x.z) for x in (latent, better))
    assert ((one > 0) != (other > 0)).float().mean() < 0.03
    both = (one > 0) & (other > 0)
    assert (12 * torch.log2(other[both] / one[both])).abs().mean() < 0.5


def test_a_voice_with_another_decoder_keeps_its_latent(tmp_path: Path) -> None:
    vits = FrozenVits.load(transformers_voice(tmp_path, speakers=2))
    latent = vits.encode_speech(Waveform.of(RECORDING.samples[0], vits.sampling_rate), 0)
    assert invert(vits, latent, RECORDING, 0) is latent
