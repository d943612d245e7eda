"""The decoder's source: pulses at the F0 that the latent asks for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny_voices import HOP, RATE, tiny_voice

from latent_edit.data.pitch import pitch_of_frames
from latent_edit.models.harmonic_source import (
    HIGHEST_HZ,
    LOWEST_HZ,
    REFERENCE_HZ,
    PitchPredictor,
    f0_errors,
    noise,
    pitch_features,
    pulses,
)


def test_the_closed_sum_is_the_sum_of_cosines() -> None:
    pitch = torch.full((1, 20), 201.0)
    heard = pulses(pitch, HOP, RATE)[0].double()
    phase = 2 * torch.pi * torch.arange(1, 20 * HOP + 1).double() * 201 / RATE
    expected = sum(torch.cos(k * phase) for k in range(1, 38))  # 37 x 201 Hz is just under 95 % of 8 kHz
    assert heard.shape == (20 * HOP,)
    assert torch.allclose(heard, expected, atol=0.02)


@pytest.mark.parametrize("pitch", [60.0, 131.7, 300.0, 480.0])
def test_pulses_have_the_pitch_asked_for(pitch: float) -> None:
    heard = pulses(torch.full((1, 60), pitch), HOP, RATE)[0].numpy()
    found = pitch_of_frames(0.05 * heard, RATE, HOP)[6:-6]
    assert found == pytest.approx(np.full(48, pitch), rel=0.002)


def test_pulses_follow_a_tremor() -> None:
    frames = torch.arange(120) * HOP / RATE
    pitch = 150 * torch.exp2(2 / 12 * torch.sin(2 * torch.pi * 5 * frames))
    found = pitch_of_frames(0.05 * pulses(pitch[None], HOP, RATE)[0].numpy(), RATE, HOP)
    cents = 1200 * np.log2(found[6:-6] / pitch[6:-6].numpy())
    assert np.sqrt(np.mean(cents**2)) < 40  # Praat's window of three periods at 75 Hz smooths a little itself


def test_what_is_unvoiced_is_silent_and_the_phase_goes_on() -> None:
    pitch = torch.full((1, 30), 125.0)  # 128 samples a period: two periods a frame
    pitch[0, 10:20] = 0
    heard = pulses(pitch, HOP, RATE)[0]
    assert (heard[11 * HOP : 19 * HOP] == 0).all()
    peaks = torch.nonzero(heard > 0.8 * heard.max()).flatten() % 128
    assert peaks.unique().numel() == 1


def test_long_speech_keeps_its_phase() -> None:
    """After two minutes the pulses are still where exact arithmetic puts them."""
    frames = 7500
    heard = pulses(torch.full((1, frames), 160.0), HOP, RATE)[0]  # 100 samples a period
    assert torch.allclose(heard[-1000:], heard[1000:2000], atol=0.05)


def test_nothing_voiced_is_silence() -> None:
    assert (pulses(torch.zeros(2, 5), HOP, RATE) == 0).all()


def test_noise_is_white_and_the_same_unless_fresh() -> None:
    one, other = (noise(16_000, False, torch.device("cpu")) for _ in range(2))
    assert torch.equal(one, other)
    assert one.std() == pytest.approx(1.0, abs=0.02)
    power = np.abs(np.fft.rfft(one.numpy())) ** 2
    assert power[:4000].mean() == pytest.approx(power[4000:].mean(), rel=0.1)
    assert not torch.equal(one, noise(16_000, True, torch.device("cpu")))


def test_features_are_octaves_and_voicing() -> None:
    features = pitch_features(torch.tensor([[REFERENCE_HZ, 2 * REFERENCE_HZ, 0.0]]))
    assert features.tolist() == [[[0.0, 1.0, 0.0], [1.0, 1.0, 0.0]]]


def test_predicted_pitch_is_bounded_and_gated() -> None:
    predictor = PitchPredictor(8, 4)
    latent, speaker = torch.randn(2, 8, 30), torch.randn(2, 4, 1)
    octaves, voicing = predictor(latent, speaker)
    pitch = predictor.pitch(latent, speaker)
    assert octaves.shape == voicing.shape == pitch.shape == (2, 30)
    assert ((pitch > 0) == (voicing > 0)).all()
    with torch.no_grad():
        predictor.output.bias.copy_(torch.tensor([9.0, 9.0]))
    assert (predictor.pitch(latent, speaker) == HIGHEST_HZ).all()
    with torch.no_grad():
        predictor.output.bias.copy_(torch.tensor([-9.0, 9.0]))
    assert (predictor.pitch(latent, speaker) == LOWEST_HZ).all()


def test_the_decoder_sounds_at_the_pitch_given() -> None:
    decoder = tiny_voice().decoder
    with torch.no_grad():  # one loud filter and nothing else
        for layer in (decoder.pulse_filter, decoder.noise_filter):
            layer.weight.zero_()
        decoder.pulse_filter.bias.zero_()
        decoder.noise_filter.bias.fill_(-20.0)
        heard = decoder(torch.randn(1, 8, 60), torch.randn(1, 4, 1), torch.full((1, 60), 180.0))[0, 0]
    expected = pulses(torch.full((1, 60), 180.0), HOP, RATE)[0]
    assert torch.allclose(heard[4 * HOP : -4 * HOP], expected[4 * HOP : -4 * HOP], atol=0.01)


def test_an_f0_contour_is_measured_from_the_median_of_the_sentence() -> None:
    """The same melody an octave lower is the same; a fourth of an octave up is one."""
    predictor = PitchPredictor(8, 4)
    melody = torch.tensor([100.0, 200.0, 200.0, 0.0, 200.0 * 2**0.25])
    for factor in (1.0, 2.0):
        predictor.pitch = lambda *_, factor=factor: (melody * factor).unsqueeze(0)  # type: ignore[method-assign]
        quarters, voiced = predictor.f0_contour(torch.zeros(8, 5), torch.zeros(4))
        assert torch.allclose(quarters, torch.tensor([-4.0, 0.0, 0.0, 0.0, 1.0]), atol=1e-4)
        assert voiced.tolist() == [1, 1, 1, 0, 1]
    predictor.pitch = lambda *_: torch.zeros(1, 5)  # type: ignore[method-assign]
    assert not predictor.f0_contour(torch.zeros(8, 5), torch.zeros(0)).any()


def test_f0_errors_count_what_is_voiced_and_inside() -> None:
    """Two semitones on average over the voiced frames; padding and the F0 of unvoiced frames do not count."""
    pitch = torch.tensor([[REFERENCE_HZ, REFERENCE_HZ, 0.0, 0.0]])
    octaves = torch.tensor([[1 / 12, -3 / 12, 5.0, 7.0]])
    mask = torch.tensor([[1.0, 1.0, 1.0, 0.0]])
    sure = torch.tensor([[9.0, 9.0, -9.0, 9.0]])
    semitones, doubt = f0_errors(octaves, sure, pitch, mask)
    assert semitones == pytest.approx(2.0, abs=1e-5)
    assert doubt < 0.001
    undecided = f0_errors(octaves, torch.zeros(1, 4), pitch, mask)[1]
    assert undecided == pytest.approx(np.log(2), abs=1e-5)
    assert f0_errors(octaves, -sure, torch.zeros(1, 4), mask)[0] == 0
