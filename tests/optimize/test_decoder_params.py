"""What the decoder of the embedded voice makes of a latent, and how far that is from a goal."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tiny_voices import ARCHITECTURE, tiny_voice

from latent_edit.models.vits import freeze
from latent_edit.optimize.decoder_params import DecoderParameters, SpeakerDecoder
from latent_edit.optimize.objectives import ParameterMatch
from latent_edit.optimize.solvers import Descent, descend

VOICE, CHANNELS = freeze(tiny_voice()), ARCHITECTURE.flow_size
ANNA = SpeakerDecoder.of(VOICE, "anna")
BOTH = SpeakerDecoder.embedded(VOICE.source_filter_decoder, VOICE.all_speaker_embeddings[:2])


def analysed(z: torch.Tensor, voice: SpeakerDecoder = ANNA) -> DecoderParameters:
    with torch.no_grad():
        return voice.analyse(z)


def test_parameters_alone_bring_a_prediction_to_its_target() -> None:
    """F0, voicing and filters of a latent approach those of the target, whatever the latent itself does."""
    draw = torch.Generator().manual_seed(0)
    target, start = (torch.randn(2, CHANNELS, 30, generator=draw) for _ in range(2))
    mask = (torch.arange(30) < torch.tensor([[30], [21]])).float().unsqueeze(1)
    match = ParameterMatch(BOTH, analysed(target, BOTH), mask)
    found = descend(start, [(match, 1.0)], Descent(60, 0.1))
    first, last, least = (float(match.residual(z)) for z in (start, found, target))  # voicing's cross-entropy is left
    assert least < last
    assert last - least < 0.5 * (first - least)


def test_what_is_outside_an_item_does_not_count() -> None:
    draw = torch.Generator().manual_seed(0)
    target, latent = (torch.randn(1, CHANNELS, 100, generator=draw) for _ in range(2))
    mask = (torch.arange(100) < 40).float().view(1, 1, -1)
    other = latent.clone()
    other[:, :, 70:] = 9.0  # farther from the item than the decoder looks
    goal = analysed(target)
    expected, same = (ParameterMatch(ANNA, goal, mask).residual(x) for x in (latent, other))
    assert float(same) == pytest.approx(float(expected), rel=1e-5)
    assert ParameterMatch(ANNA, goal, torch.ones_like(mask)).residual(other) != expected


def test_every_octave_of_a_filter_counts_the_same() -> None:
    """A neper too much noise in one octave is the same loss as in another, whatever its bins."""
    latent = torch.randn(1, CHANNELS, 30, generator=torch.Generator().manual_seed(0))
    goal, mask = analysed(latent), torch.ones(1, 1, 30)
    bins = goal.noise.shape[1]
    exact = ParameterMatch(ANNA, goal, mask).residual(latent)
    losses = []
    for octave in (1, 2):
        noise = goal.noise.clone()
        noise[:, bins >> octave : bins >> (octave - 1)] += 1.0
        losses.append(float(ParameterMatch(ANNA, replace(goal, noise=noise), mask).residual(latent) - exact))
    assert losses[0] == pytest.approx(losses[1], rel=0.15) and losses[0] > 0.3


def test_a_whisper_has_all_the_power_and_no_tone() -> None:
    """The noise takes over what the pulses had where there were some, and stays as it was elsewhere."""
    plain = analysed(torch.randn(1, CHANNELS, 30, generator=torch.Generator().manual_seed(0)))
    plain.f0[:, :10] = 0.0
    whisper = plain.whispered()
    assert not whisper.f0.any()
    f0 = plain.filter_frames(plain.f0)
    # Cosines of amplitude 1 at every harmonic have a power of half a cosine each F0 Hz, noise one over the whole band.
    pulses = (2 * plain.pulses).exp() * (VOICE.sampling_rate / 4 / f0.clamp(min=1.0)) * (f0 > 0)
    assert torch.allclose((2 * whisper.noise).exp(), (2 * plain.noise).exp() + pulses, rtol=1e-4)
    quiet = (f0 == 0).expand_as(plain.noise)
    assert torch.equal(whisper.noise[quiet], plain.noise[quiet])
