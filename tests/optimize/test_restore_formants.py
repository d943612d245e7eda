"""What a breathy edit keeps of its source: the detail of its spectrum, frame by frame."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_voices import ARCHITECTURE, tiny_voice

from latent_edit import EditRequest, LatentEditor
from latent_edit.evaluation.effects import failures
from latent_edit.models.spectrogram import LogMel
from latent_edit.models.vits import FrozenVits, freeze
from latent_edit.optimize.corrections import restore_formants
from latent_edit.optimize.decoder_params import SpeakerDecoder
from latent_edit.types import Latent

FRAMES = 60


def random_latent(seed: int) -> Latent:
    z = torch.randn(1, ARCHITECTURE.flow_size, FRAMES, generator=torch.Generator().manual_seed(seed))
    return Latent(z, torch.ones(1, 1, FRAMES))


def detail(vits: FrozenVits, latent: Latent, speaker: str) -> torch.Tensor:
    """Log-mel spectrum of what is spoken, less its mean over time: [bins, frames]."""
    spectrum = LogMel(vits.sampling_rate, 800, 200, 40)(vits.decode(latent, speaker).samples)[0]
    return spectrum - spectrum.mean(1, keepdim=True)


def likeness(vits: FrozenVits, one: Latent, other: Latent, speaker: str) -> float:
    """Correlation of their details."""
    details = [detail(vits, latent, speaker).flatten().numpy() for latent in (one, other)]
    return float(np.corrcoef(*details)[0, 1])


def test_it_is_deterministic_and_leaves_what_it_was_given() -> None:
    vits, source, edited = freeze(tiny_voice()), random_latent(0), random_latent(1)
    given = [latent.z.clone() for latent in (source, edited)]
    with torch.no_grad():  # as in an edit
        one = restore_formants(vits, source, edited, 0.5, "anna")
    assert torch.equal(one.z, restore_formants(vits, source, edited, 0.5, "anna").z)
    assert torch.equal(source.z, given[0]) and torch.equal(edited.z, given[1])
    assert not torch.equal(one.z, edited.z) and not one.z.requires_grad
    assert torch.equal(one.mask, edited.mask)
    assert not torch.equal(one.z, restore_formants(vits, source, edited, 0.5, "ben").z)
    assert not torch.equal(one.z, restore_formants(vits, random_latent(2), edited, 0.5, "anna").z)


def test_what_is_silent_throughout_stays_finite() -> None:
    """Without one voiced frame there is no mean of the pulses to keep."""
    voice = tiny_voice()
    with torch.no_grad():
        voice.decoder.pitch.output.bias[1] = -9.0
    assert restore_formants(freeze(voice), random_latent(0), random_latent(1), 1.0, "anna").z.isfinite().all()


@pytest.mark.shipped
@pytest.mark.parametrize(("prompt", "softer_db"), [("a whisper", 1.5), ("soft and gentle", 0.5)])
def test_a_breathy_edit_keeps_the_detail_of_its_source(
    shipped_editor: LatentEditor, prompt: str, softer_db: float
) -> None:
    """More so than the bridge leaves it, with the edit's F0 and nearly its level; corrected, it is as asked for."""
    vits, voice = shipped_editor.vits, "sam_a"
    request = EditRequest(text="The old clock had stopped.", voice=voice, prompt=prompt, pace=1.0)
    alone, corrected = (shipped_editor.edit(replace(request, correction=on)) for on in (False, True))
    source = corrected.z_source
    before, after = (likeness(vits, source, latent, voice) for latent in (alone.z_edit, corrected.z_edit))
    assert 1 - after < 0.85 * (1 - before), (before, after)
    assert not failures(prompt, corrected.measurements_before, corrected.measurements_after)
    better = restore_formants(vits, source, alone.z_edit, 0.5, voice)
    one, other = (SpeakerDecoder.of(vits, voice).f0(x.z) for x in (alone.z_edit, better))
    assert ((one > 0) != (other > 0)).float().mean() < 0.03
    levels = [float(vits.decode(x, voice).samples.square().mean().log10() * 10) for x in (alone.z_edit, better)]
    assert levels[1] == pytest.approx(levels[0], abs=softer_db)
