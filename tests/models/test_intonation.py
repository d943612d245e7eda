"""Readings have the range of F0 that the recordings of their voice have, and nothing else of them changes much."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from tiny_voices import ARCHITECTURE, tiny_voice
from torch import Tensor

from latent_edit.measures import measure
from latent_edit.models.heard import as_condition
from latent_edit.models.intonation import MOST, livelier
from latent_edit.models.melody import LOWEST, depth, spread, trend, wave, widened
from latent_edit.models.projections import LONGEST_STEP, ROUNDS, approach
from latent_edit.models.vits import FrozenVits, freeze
from latent_edit.pipeline import LatentEditor
from latent_edit.types import Latent

# Every voice reads these flatter than its recordings are.
SENTENCES = ("The old clock on the wall had stopped.", "They walked along the river until it got dark.")


def pitch_of(vits: FrozenVits, z: Tensor, voice: str) -> Tensor:
    return vits.source_filter_decoder.pitch.pitch(z, as_condition(vits.speaker_embedding(voice)))[0]


def range_of(vits: FrozenVits, z: Tensor, voice: str) -> float:
    """In semitones."""
    pitch = pitch_of(vits, z, voice)
    return 12 * spread(torch.log2(pitch[pitch > 0]))


@contextmanager
def ranges(vits: FrozenVits, *values: float) -> Iterator[None]:
    own, vits.intonation_ranges = vits.intonation_ranges, list(values)
    yield
    vits.intonation_ranges = own


def read(vits: FrozenVits, text: str, voice: str) -> Tensor:
    return vits.encode_text(vits.phonemize(text), voice, generator=torch.Generator().manual_seed(0)).latent.z


@pytest.mark.shipped
@pytest.mark.parametrize("text", SENTENCES)
@pytest.mark.parametrize("voice", ["kathleen", "sam_a", "sam_b", "robotutor"])
def test_a_flat_reading_gets_the_range_of_the_recordings(shipped_editor: LatentEditor, voice: str, text: str) -> None:
    vits = shipped_editor.vits
    wanted = vits.intonation_ranges[vits.speaker_id(voice)]
    with ranges(vits, 0, 0, 0, 0):
        flat = read(vits, text, voice)
    lively = read(vits, text, voice)
    before = range_of(vits, flat, voice)
    assert before < wanted
    # Where the slow part would have to move farther than it may, the sentence stays flatter than recordings.
    assert 0.9 * min(wanted, 0.7 * MOST * before) < range_of(vits, lively, voice) < 1.1 * wanted
    # Praat hears it as well
    heard = [
        measure(vits.decode(Latent(z, torch.ones_like(z[:, :1])), voice).item(0).numpy(), 16_000)
        for z in (flat, lively)
    ]
    flatter, livelier_ = (m.pitch_range_semitones for m in heard)
    assert flatter is not None and livelier_ is not None and livelier_ > 1.15 * flatter
    assert abs(heard[1].level_db - heard[0].level_db) < 1.0
    assert abs(heard[1].voiced_share - heard[0].voiced_share) < 0.06
    assert abs(12 * np.log2(heard[1].pitch_hz / heard[0].pitch_hz)) < 0.6
    assert (lively - flat).square().mean().sqrt() < 0.3  # of a deviation of about one


@pytest.mark.shipped
def test_a_lively_reading_stays_as_it_is(shipped_editor: LatentEditor) -> None:
    vits = shipped_editor.vits
    with ranges(vits, 0, 0, 0, 0):
        flat = read(vits, SENTENCES[0], "sam_a")
    with ranges(vits, 1, 1, 1, 1):
        assert torch.equal(read(vits, SENTENCES[0], "sam_a"), flat)


def test_it_is_the_same_every_time_and_goes_no_farther_than_it_may() -> None:
    vits = freeze(tiny_voice())
    z = torch.randn(1, ARCHITECTURE.flow_size, 60, generator=torch.Generator().manual_seed(0))
    latent = Latent(z, torch.ones(1, 1, 60))
    assert vits.intonation_ranges == [0.0, 0.0]
    assert livelier(vits, latent, "anna") is latent
    with torch.no_grad(), ranges(vits, 1000.0, 0.0):
        moved = livelier(vits, latent, "anna").z
        assert torch.equal(moved, livelier(vits, latent, "anna").z)
        assert livelier(vits, latent, "ben") is latent
    assert not moved.requires_grad and not torch.equal(moved, z)
    assert (moved - z).square().mean().sqrt() <= 1.01 * ROUNDS * LONGEST_STEP


def test_a_voice_that_reads_otherwise_has_another_hash() -> None:
    """The latent space, to which bridges belong, stays."""
    one, other = tiny_voice(), tiny_voice()
    other.config.intonation_ranges = [5.0, 6.0]
    plain, lively = freeze(one), freeze(other)
    assert plain.hash != lively.hash and plain.latent_hash == lively.latent_hash
    assert lively.intonation_ranges == [5.0, 6.0]


def test_a_wider_melody_gets_higher_but_no_lower_than_a_voice_goes() -> None:
    """The slow part is widened until all of it has the range; the quick part stays."""
    slow = 0.2 * torch.sin(torch.linspace(0, 12, 200))
    quick = 0.02 * torch.sin(torch.linspace(0, 300, 200))
    octaves = widened(slow, quick, 1.1)
    assert spread(octaves) == pytest.approx(1.1, rel=0.05)
    middle = slow.median()
    assert float((octaves - middle).min()) > -LOWEST
    assert float((octaves - middle).max()) > 1.1 * LOWEST
    order = slow.argsort()
    flat_quick = widened(slow, torch.zeros(200), 1.1)
    assert torch.equal(flat_quick.argsort(), order)  # bent, not broken
    high = slow > 0.1
    assert float((octaves - widened(slow, 0 * quick, 1.1) - quick)[high].abs().max()) < 0.02
    assert spread(widened(slow, quick, 9.0, most=1.5)) < 1.6 * spread(slow + quick)
    assert spread(widened(slow, quick, 0.1)) == pytest.approx(0.1, rel=0.1)  # narrower as well


def test_the_trend_is_what_is_slow() -> None:
    """In octaves, of the voiced frames alone."""
    time = torch.arange(200) / 62.5
    slow, quick = 0.3 * torch.sin(2 * torch.pi * 0.5 * time), 0.1 * torch.sin(2 * torch.pi * 6 * time)
    pitch = 150 * torch.exp2(slow + quick)
    pitch[80:100] = 0
    found = trend(pitch, 62.5)
    voiced = pitch > 0
    assert found.shape == (180,)
    inner = slice(25, 55)
    assert float((found - torch.log2(torch.tensor(150.0)) - slow[voiced])[inner].abs().max()) < 0.05


def test_a_wave_is_found_among_what_is_quick() -> None:
    """With gaps, as between voiced stretches; what has no rate of a tremor is left."""
    time = torch.cat([torch.arange(60), torch.arange(90, 200)]) / 62.5
    trembling = 0.1 * torch.sin(2 * torch.pi * 6.3 * time + 1)
    quick = trembling + 0.05 * torch.sin(2 * torch.pi * 11 * time)
    found = wave(quick, time)
    assert float((found - trembling).abs().max()) < 0.02
    assert depth(found) == pytest.approx(0.1, rel=0.1) and depth(quick) > depth(found)
    nothing = torch.zeros(0)
    assert wave(nothing, nothing).shape == (0,) and 0 < depth(nothing) < 1e-3


def test_approach_reaches_goals_that_can_be_reached() -> None:
    z = torch.zeros(1, 3, 40)
    goals = [lambda z: (9 * (z[:, 0].mean() - 0.5)).square(), lambda z: (9 * z[:, 1].mean() + 2.25).square()]
    found = approach(z, goals)
    assert float(found[:, 0].mean()) == pytest.approx(0.5, abs=0.03)
    assert float(found[:, 1].mean()) == pytest.approx(-0.25, abs=0.03)
    assert torch.equal(found[:, 2], z[:, 2])  # what no goal asks for
    assert torch.equal(z, torch.zeros(1, 3, 40))
