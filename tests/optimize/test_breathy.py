"""Light breath is sought with the decoder: more noise in the voice, and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_voices import tiny_voice, transformers_voice

from latent_edit.axes import AXES
from latent_edit.editor import LatentEditor
from latent_edit.errors import InputError
from latent_edit.measures import Measurements, breath_share, contours, measure
from latent_edit.models.vits import FrozenVits, freeze
from latent_edit.optimize.corrections import breathy
from latent_edit.optimize.decoder_params import SpeakerDecoder
from latent_edit.types import Latent

TINY = freeze(tiny_voice())


def tiny_latent() -> Latent:
    return Latent(torch.randn(1, 8, 40, generator=torch.Generator().manual_seed(0)), torch.ones(1, 1, 40))


def test_pulses_give_way_to_noise() -> None:
    latent = tiny_latent()
    found = breathy(TINY, latent, "anna", 0.5)
    with torch.no_grad():
        before, after = (SpeakerDecoder.of(TINY, "anna").analyse(x.z) for x in (latent, found))
    assert found.z.shape == latent.z.shape and found.mask is latent.mask
    balance_before, balance_after = ((x.noise - x.pulses).mean() for x in (before, after))
    assert balance_after > balance_before
    assert (before.f0 / after.f0).log2().abs().mean() < 0.01


def test_the_clear_latent_and_the_voice_stay_as_they_were() -> None:
    latent = tiny_latent()
    kept = latent.z.clone()
    first, second = (breathy(TINY, latent, "ben", 0.5).z for _ in range(2))
    assert torch.equal(latent.z, kept) and not latent.z.requires_grad
    assert torch.equal(first, second) and not first.requires_grad


def test_breath_fills_the_spectrum_from_the_top() -> None:
    little, much = (breath_share(16_000, 65, amount) for amount in (0.3, 0.8))
    assert (np.diff(little) > 0).all() and (much > little).all()
    assert 0 <= little[0] < 0.01 and much[-1] < 1


def test_a_voice_that_cannot_be_asked_says_so(tmp_path: Path) -> None:
    other = FrozenVits.load(transformers_voice(tmp_path, 2))
    assert not other.has_source_filter
    with pytest.raises(InputError, match="embedded voice"):
        breathy(other, tiny_latent(), 0, 0.5)


@pytest.mark.shipped
@pytest.mark.parametrize("speaker", ["kathleen", "sam_a", "sam_b", "robotutor"])
def test_the_shipped_voice_breathes(shipped_editor: LatentEditor, speaker: str) -> None:
    """In the mean of two readings its harmonicity falls by 4 dB; voicing, level and effort stay the same.

    So does F0, frame by frame. (Its median may be another, where some of the frames are no longer voiced.)
    """
    voice = shipped_editor.vits
    found: list[tuple[Measurements, Measurements]] = []
    for seed, text in enumerate(("The garden was quiet in the morning.", "We painted the old door blue.")):
        generator = torch.Generator().manual_seed(seed)
        clear = voice.encode_text(voice.phonemize(text), speaker, prior_noise=0.667, generator=generator).latent
        sought = breathy(voice, clear, speaker, 0.5)
        found.append((heard(voice, clear, speaker), heard(voice, sought, speaker)))
        tone, other = (contours(spoken(voice, x, speaker), voice.sampling_rate).pitch_hz for x in (clear, sought))
        frames = min(len(tone), len(other))  # Praat may place one less
        semitones = 12 * np.abs(np.log2(other[:frames] / tone[:frames]))
        assert np.isfinite(semitones).sum() > 0.65 * np.isfinite(tone).sum()  # robotutor 0.66, the others over 0.7
        assert np.nanquantile(semitones, 0.95) < 0.4

    def moved(name: str) -> float:
        return float(np.mean([getattr(after, name) - getattr(before, name) for before, after in found]))

    assert moved("harmonicity_db") < -4
    assert abs(moved("voiced_share")) < AXES["breathiness"].tolerance
    assert abs(moved("level_db")) < AXES["level_db"].tolerance
    assert abs(moved("tilt_db")) < AXES["tilt_db"].floor


def heard(voice: FrozenVits, latent: Latent, speaker: str) -> Measurements:
    return measure(spoken(voice, latent, speaker), voice.sampling_rate)


def spoken(voice: FrozenVits, latent: Latent, speaker: str) -> np.ndarray:
    return voice.decode(latent, speaker).item(0).numpy()
