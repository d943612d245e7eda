"""What the decoder of the embedded voice is heard to do, and how far that is from a goal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_voices import ARCHITECTURE, tiny_voice

from latent_edit.models.harmonic_source import REFERENCE_HZ
from latent_edit.models.heard import (
    hear,
    heard_difference,
    in_subframes,
    pitch_errors,
    pulses_over_noise,
    whispered,
)
from latent_edit.models.vits import freeze

VOICE, CHANNELS = freeze(tiny_voice()), ARCHITECTURE.flow_size


def test_what_is_heard_alone_brings_a_prediction_to_its_target() -> None:
    """F0, voicing and filters of a latent approach those of the target, whatever the latent itself does."""
    decoder = VOICE.source_filter_decoder
    draw = torch.Generator().manual_seed(0)
    target, start = (torch.randn(2, CHANNELS, 30, generator=draw) for _ in range(2))
    mask = (torch.arange(30) < torch.tensor([[30], [21]])).float().unsqueeze(1)
    speaker = VOICE.all_speaker_embeddings[:2]
    goal = hear(decoder, target, speaker)
    latent = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([latent], lr=0.1)
    heard = []
    for _ in range(60):
        loss = heard_difference(decoder, latent, goal, speaker, mask)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        heard.append(loss.item())
    least = heard_difference(decoder, target, goal, speaker, mask).item()  # what is left of voicing's cross-entropy
    assert least < heard[-1]
    assert heard[-1] - least < 0.5 * (heard[0] - least)


def test_what_is_heard_outside_an_item_does_not_count() -> None:
    decoder, speaker = VOICE.source_filter_decoder, VOICE.all_speaker_embeddings[:1]
    draw = torch.Generator().manual_seed(0)
    target, latent = (torch.randn(1, CHANNELS, 100, generator=draw) for _ in range(2))
    mask = (torch.arange(100) < 40).float().view(1, 1, -1)
    other = latent.clone()
    other[:, :, 70:] = 9.0  # farther from the item than the decoder looks
    goal = hear(decoder, target, speaker)
    expected, same = (heard_difference(decoder, x, goal, speaker, mask) for x in (latent, other))
    assert float(same) == pytest.approx(float(expected), rel=1e-5)
    assert heard_difference(decoder, other, goal, speaker, torch.ones_like(mask)) != expected


def test_pitch_errors_count_what_is_voiced_and_inside() -> None:
    """Two semitones on average over the voiced frames; padding and the F0 of unvoiced frames do not count."""
    pitch = torch.tensor([[REFERENCE_HZ, REFERENCE_HZ, 0.0, 0.0]])
    octaves = torch.tensor([[1 / 12, -3 / 12, 5.0, 7.0]])
    mask = torch.tensor([[1.0, 1.0, 1.0, 0.0]])
    sure = torch.tensor([[9.0, 9.0, -9.0, 9.0]])
    semitones, doubt = pitch_errors(octaves, sure, pitch, mask)
    assert semitones == pytest.approx(2.0, abs=1e-5)
    assert doubt < 0.001
    undecided = pitch_errors(octaves, torch.zeros(1, 4), pitch, mask)[1]
    assert undecided == pytest.approx(np.log(2), abs=1e-5)
    assert pitch_errors(octaves, -sure, torch.zeros(1, 4), mask)[0] == 0


def test_every_octave_of_a_filter_counts_the_same() -> None:
    """A neper too much noise in one octave is the same loss as in another, whatever its bins."""
    decoder, speaker = VOICE.source_filter_decoder, VOICE.all_speaker_embeddings[:1]
    latent = torch.randn(1, CHANNELS, 30, generator=torch.Generator().manual_seed(0))
    goal, mask = hear(decoder, latent, speaker), torch.ones(1, 1, 30)
    bins = goal.noise.shape[1]
    exact = heard_difference(decoder, latent, goal, speaker, mask)
    losses = []
    for octave in (1, 2):
        noise = goal.noise.clone()
        noise[:, bins >> octave : bins >> (octave - 1)] += 1.0
        losses.append(float(heard_difference(decoder, latent, replace(goal, noise=noise), speaker, mask) - exact))
    assert losses[0] == pytest.approx(losses[1], rel=0.15) and losses[0] > 0.3


def test_a_whisper_has_all_the_power_and_no_tone() -> None:
    """The noise takes over what the pulses had where there were some, and stays as it was elsewhere."""
    decoder, speaker = VOICE.source_filter_decoder, VOICE.all_speaker_embeddings[:1]
    plain = hear(decoder, torch.randn(1, CHANNELS, 30, generator=torch.Generator().manual_seed(0)), speaker)
    plain.pitch[:, :10] = 0.0
    whisper = whispered(plain, VOICE.sampling_rate)
    assert not whisper.pitch.any()
    pitch = in_subframes(plain.pitch, plain.noise)
    pulses = (2 * plain.pulse).exp() * pulses_over_noise(pitch, VOICE.sampling_rate) * (pitch > 0)
    assert torch.allclose((2 * whisper.noise).exp(), (2 * plain.noise).exp() + pulses, rtol=1e-4)
    quiet = (pitch == 0).expand_as(plain.noise)
    assert torch.equal(whisper.noise[quiet], plain.noise[quiet])
