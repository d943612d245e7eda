"""Time scaling: encoded anew where it is slower, nearer to its own sound where it is faster."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from latent_edit.editor import LatentEditor
from latent_edit.manners import SOUNDS, THIRDS
from latent_edit.models.pauses import PAUSE_ELASTICITY, elasticity
from latent_edit.models.phonemes import PhonemeSequence
from latent_edit.models.rhythm import PLOSIVE, STRESSED, kinds_of_sound
from latent_edit.models.spectrogram import LogMel
from latent_edit.models.vits import FrozenVits, TextEncoding
from latent_edit.optimize.decoder_params import SpeakerDecoder
from latent_edit.optimize.time_scaling import time_scale
from latent_edit.types import Alignment, Latent, Waveform

NOTHING = PhonemeSequence(ids=(), symbols=(), dropped=())


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def words(vits: FrozenVits) -> PhonemeSequence:
    return vits.phonemize("Hello there, and more.")


@pytest.fixture(scope="module")
def source(vits: FrozenVits, words: PhonemeSequence) -> TextEncoding:
    durations = 2 + torch.arange(len(words.ids)) % 4
    return vits.encode_text(words, "anna", generator=seeded(), durations=durations)


def scaled(
    vits: FrozenVits, words: PhonemeSequence, source: TextEncoding, log_ratio: float, noise: float = 0.667
) -> TextEncoding:
    return time_scale(vits, words, source, "anna", log_ratio, noise, seeded(1))


@torch.no_grad()
def spoken_in(frames: int, vits: FrozenVits, latent: Latent, speaker: str) -> Waveform:
    """A latent as it is decoded, its decoder parameters resampled to so many frames."""
    voice = SpeakerDecoder.of(vits, speaker)
    return voice.render(voice.analyse(latent.z).time_scaled(frames))


def runs(values: torch.Tensor, durations: torch.Tensor) -> list[torch.Tensor]:
    """The frames [C, n] of each symbol."""
    return list(values[0].split(durations.tolist(), dim=1))


def test_the_same_pace_is_the_same_source(vits: FrozenVits, words: PhonemeSequence, source: TextEncoding) -> None:
    assert scaled(vits, words, source, 0.0) is source


@pytest.mark.parametrize("log_ratio", [-0.3, 0.0, 0.4])
def test_a_rhythm_divides_the_time_otherwise(
    vits: FrozenVits, words: PhonemeSequence, source: TextEncoding, log_ratio: float
) -> None:
    """Stressed vowels get longer and plosives shorter, whatever the pace; the sum is that of the pace."""
    rhythm = np.zeros((len(SOUNDS), THIRDS))
    rhythm[STRESSED], rhythm[PLOSIVE] = 0.8, -0.8
    even = scaled(vits, words, source, log_ratio)
    uneven = time_scale(vits, words, source, "anna", log_ratio, 0.667, seeded(1), rhythm)
    assert uneven.latent.z.shape == even.latent.z.shape

    def lasting(encoding: TextEncoding, wanted: int) -> int:
        durations = encoding.alignment.durations[0].tolist()
        return sum(d for d, kind in zip(durations, kinds_of_sound(words), strict=True) if kind == wanted)

    assert lasting(uneven, STRESSED) > 1.3 * lasting(even, STRESSED)
    assert lasting(uneven, PLOSIVE) < 0.8 * lasting(even, PLOSIVE)


def test_a_rhythm_that_moves_nothing_leaves_the_source(
    vits: FrozenVits, words: PhonemeSequence, source: TextEncoding
) -> None:
    assert time_scale(vits, words, source, "anna", 0.0, 0.667, seeded(1), np.zeros((len(SOUNDS), THIRDS))) is source


def test_a_recording_has_no_rhythm(vits: FrozenVits, source: TextEncoding) -> None:
    recording = replace(source, alignment=Alignment(torch.zeros(1, 0, dtype=torch.long)))
    rhythm = np.ones((len(SOUNDS), THIRDS))
    assert time_scale(vits, NOTHING, recording, "anna", 0.0, 0.667, seeded(1), rhythm) is recording


@pytest.mark.parametrize("log_ratio", [-0.7, -0.31, -0.01, 0.01, 0.2, 0.7])
def test_resampling_keeps_order_and_sum(vits: FrozenVits, words: PhonemeSequence, log_ratio: float) -> None:
    old_durations = torch.arange(len(words.ids)) % 4
    old = vits.encode_text(words, "anna", generator=seeded(), durations=old_durations)
    new = old.resampled(log_ratio)
    durations, ratio = new.alignment.durations[0], math.exp(log_ratio)
    assert int(durations.sum()) == new.latent.z.shape[2] == round(int(old_durations.sum()) * ratio)
    assert ((durations - old_durations * ratio).abs() <= 1).all()
    assert ((durations.cumsum(0) - old_durations.cumsum(0) * ratio).abs() <= 0.5 + 1e-4).all()
    for before, after in ((old.latent, new.latent), (old.prior_sample, new.prior_sample)):
        assert torch.equal(after.z, before.stretched(int(durations.sum())).z)


@pytest.mark.shipped
def test_a_faster_source_is_nearer_to_its_sound_than_a_resampled_one(shipped_editor: LatentEditor) -> None:
    """To what the decoder made of it, at the new length; in everything but the latent it is the resampled one."""
    vits, voice = shipped_editor.vits, "sam_a"
    words = vits.phonemize("The old clock had stopped.")
    source = vits.encode_text(words, voice, generator=seeded())
    faster = time_scale(vits, words, source, voice, -0.4, 0.667, seeded(1))
    plain = source.resampled(-0.4)
    assert torch.equal(faster.alignment.durations, plain.alignment.durations)
    assert torch.equal(faster.prior_sample.z, plain.prior_sample.z)
    sound = spoken_in(plain.latent.z.shape[2], vits, source.latent, voice).samples
    log_mel = LogMel(vits.sampling_rate, 1024, 256, bins=80)
    copies = [vits.decode(encoding.latent, voice).samples for encoding in (plain, faster)]
    far = [float((log_mel(copy) - log_mel(sound)).abs().mean()) for copy in copies]
    assert far[1] < 0.9 * far[0], far


def test_a_slower_recording_is_stretched(vits: FrozenVits, source: TextEncoding) -> None:
    nothing = PhonemeSequence(ids=(), symbols=(), dropped=())
    recording = TextEncoding(source.latent, source.prior_sample, Alignment(torch.zeros(1, 0, dtype=torch.long)))
    slower = scaled(vits, nothing, recording, 0.4)
    frames = round(recording.latent.z.shape[2] * math.exp(0.4))
    assert torch.equal(slower.latent.z, recording.latent.stretched(frames).z)
    assert slower.alignment.durations.shape == (1, 0)


def test_a_faster_recording_is_nearer_to_its_sound_too(vits: FrozenVits, source: TextEncoding) -> None:
    nothing = PhonemeSequence(ids=(), symbols=(), dropped=())
    recording = TextEncoding(source.latent, source.prior_sample, Alignment(torch.zeros(1, 0, dtype=torch.long)))
    words = vits.phonemize("Hello there, and more.")
    frames = round(recording.latent.z.shape[2] * math.exp(-0.4))
    faster = scaled(vits, nothing, recording, -0.4)
    assert faster.latent.z.shape[2] == frames
    assert not torch.equal(faster.latent.z, recording.latent.stretched(frames).z)
    torch.testing.assert_close(faster.latent.z, scaled(vits, words, source, -0.4).latent.z)


def test_where_the_decoder_has_no_filters_a_faster_source_is_resampled(
    vits: FrozenVits, words: PhonemeSequence, source: TextEncoding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FrozenVits, "has_source_filter", False)
    assert torch.equal(scaled(vits, words, source, -0.3).latent.z, source.resampled(-0.3).latent.z)


def test_what_is_spoken_in_as_many_frames_is_the_same(vits: FrozenVits, source: TextEncoding) -> None:
    frames = source.latent.z.shape[2]
    same, shorter = (spoken_in(count, vits, source.latent, "anna") for count in (frames, frames // 2))
    torch.testing.assert_close(same.samples, vits.decode(source.latent, "anna").samples)
    assert shorter.samples.shape == (1, frames // 2 * vits.hop_length)


@pytest.mark.parametrize("log_ratio", [0.05, 0.3, 0.7])
def test_a_slower_source_is_read_anew(
    vits: FrozenVits, words: PhonemeSequence, source: TextEncoding, log_ratio: float
) -> None:
    """All that was there of z_p is there still, in its order; what is new is of the symbol that it falls into."""
    new = scaled(vits, words, source, log_ratio)
    durations, old_durations = new.alignment.durations[0], source.alignment.durations[0]
    assert int(durations.sum()) == new.latent.z.shape[2] == new.prior_sample.z.shape[2]
    assert int(durations.sum()) == round(int(old_durations.sum()) * math.exp(log_ratio))
    old = source.prior_sample.z[0].T
    places = [(old == frame).all(1).nonzero().flatten().tolist() for frame in new.prior_sample.z[0].T]
    found = [place for there in places for place in there]
    assert found == sorted(set(found))
    assert len(found) >= 0.95 * len(old)
    # What was kept is as far into its symbol as it was.
    ends, old_ends = durations.cumsum(0), old_durations.cumsum(0)
    for frame, there in enumerate(places):
        symbol = int(torch.searchsorted(ends, frame, right=True))
        within = (frame + 0.5 - float(ends[symbol] - durations[symbol])) / float(durations[symbol])
        same = float(old_ends[symbol] - old_durations[symbol]) + within * float(old_durations[symbol]) - 0.5
        assert all(abs(place - same) <= 1 for place in there)
    torch.testing.assert_close(new.latent.z, vits.from_prior(new.prior_sample, "anna").z)


def test_without_noise_a_slower_source_stands_longer(vits: FrozenVits, words: PhonemeSequence) -> None:
    durations = 2 + torch.arange(len(words.ids)) % 4
    still = vits.encode_text(words, "anna", prior_noise=0.0, durations=durations)
    new = scaled(vits, words, still, 0.4, noise=0.0)
    middles = [run[:, run.shape[1] // 2] for run in runs(new.prior_sample.z, new.alignment.durations[0])]
    expected = [run[:, 0] for run in runs(still.prior_sample.z, durations)]
    torch.testing.assert_close(torch.stack(middles), torch.stack(expected))


def test_new_frames_have_noise_of_their_own(vits: FrozenVits, words: PhonemeSequence, source: TextEncoding) -> None:
    """Not the same frame twice, which would be heard as a buzz, and as much noise as the source has."""
    new = scaled(vits, words, source, 0.6).prior_sample.z
    assert (new[..., 1:] != new[..., :-1]).any(1).all()
    assert not torch.equal(new, time_scale(vits, words, source, "anna", 0.6, 0.667, seeded(2)).prior_sample.z)


def test_a_slower_source_lengthens_pauses_between_words_most(vits: FrozenVits, words: PhonemeSequence) -> None:
    """Those before and after all words take their part like any sound."""
    shares = elasticity(words)
    between = [i for i, symbol in enumerate(words.symbols) if symbol in " ,"]
    assert {shares[i] for i in between} == {PAUSE_ELASTICITY}
    assert shares[0] == shares[-1] == shares[-2] == 1.0
    near = {j for i in between for j in (i - 1, i + 1)} - set(between)
    assert all(1.0 < shares[i] <= PAUSE_ELASTICITY for i in near)
    assert all(share == 1.0 for i, share in enumerate(shares) if i not in near | set(between))
    durations = torch.full((len(words.ids),), 10)
    old = vits.encode_text(words, "anna", generator=seeded(), durations=durations)
    longer = scaled(vits, words, old, 0.4).alignment.durations[0]
    others = [i for i in range(len(words.ids)) if i not in near | set(between)]
    assert (longer[between] - 10).min() > 3 * (longer[others] - 10).max()


def test_a_latent_is_stretched_evenly() -> None:
    ramp = torch.arange(40.0).expand(1, 3, 40)
    stretched = Latent(ramp, torch.ones(1, 1, 40)).stretched(60)
    assert stretched.z.shape == (1, 3, 60)
    assert stretched.mask.shape == (1, 1, 60)
    assert (stretched.mask == 1).all()
    inside = stretched.z[0, 0, 1:-1]  # beyond the middles of the first and last frame there is nothing to go by
    assert torch.allclose(inside, (torch.arange(1.0, 59.0) + 0.5) / 1.5 - 0.5, atol=1e-5)


def test_a_source_is_never_shortened_to_nothing(vits: FrozenVits, words: PhonemeSequence) -> None:
    durations = torch.zeros(len(words.ids), dtype=torch.long)
    durations[0] = 1
    short = vits.encode_text(words, "anna", generator=seeded(), durations=durations)
    assert scaled(vits, words, short, -1.0).latent.z.shape[2] == 1
    assert scaled(vits, words, short, 0.7).latent.z.shape[2] == 2
