"""What is synthesised has F0 as the voice's recordings have it, and nothing else of it changes much."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from tiny_voices import ARCHITECTURE, tiny_voice
from torch import Tensor

from latent_edit.editor import LatentEditor
from latent_edit.measures import measure
from latent_edit.models.f0_contours import f0_modulation, f0_range, f0_trend, modulation_depth
from latent_edit.models.vits import FrozenVits, freeze
from latent_edit.optimize.corrections import LARGEST_F0_EXPANSION, LARGEST_WAVE_SEMITONES, natural_f0
from latent_edit.optimize.decoder_params import SpeakerDecoder
from latent_edit.optimize.solvers import LONGEST_STEP, ROUNDS, project
from latent_edit.synthesis import TEXT_STREAM, generator
from latent_edit.types import Latent

# Every voice reads these flatter than its recordings are.
WAVED = "Here he got a fresh thrill."
SENTENCES = ("The old clock on the wall had stopped.", "They walked along the river until it got dark.")


def range_of(vits: FrozenVits, z: Tensor, voice: str) -> float:
    """In semitones."""
    f0 = SpeakerDecoder.of(vits, voice).f0(z)
    return 12 * f0_range(torch.log2(f0[f0 > 0]))


@contextmanager
def ranges(vits: FrozenVits, *values: float) -> Iterator[None]:
    own, vits.f0_ranges = vits.f0_ranges, list(values)
    yield
    vits.f0_ranges = own


def synthesised(vits: FrozenVits, text: str, voice: str) -> Tensor:
    plain = vits.encode_text(vits.phonemize(text), voice, generator=torch.Generator().manual_seed(0)).latent
    return natural_f0(vits, plain, voice).z


@pytest.mark.shipped
@pytest.mark.parametrize("text", SENTENCES)
@pytest.mark.parametrize("voice", ["kathleen", "sam_a", "sam_b", "robotutor"])
def test_a_flat_synthesis_gets_the_range_of_the_recordings(shipped_editor: LatentEditor, voice: str, text: str) -> None:
    vits = shipped_editor.vits
    wanted = vits.f0_ranges[vits.speaker_id(voice)]
    with ranges(vits, 0, 0, 0, 0):
        flat = synthesised(vits, text, voice)
    lively = synthesised(vits, text, voice)
    before = range_of(vits, flat, voice)
    assert before < wanted
    # Where the slow part would have to move farther than it may, the sentence stays flatter than recordings.
    assert 0.9 * min(wanted, 0.7 * LARGEST_F0_EXPANSION * before) < range_of(vits, lively, voice) < 1.1 * wanted
    # Praat measures it as well.
    measured = [
        measure(vits.decode(Latent(z, torch.ones_like(z[:, :1])), voice).item(0).numpy(), 16_000)
        for z in (flat, lively)
    ]
    flatter, livelier_ = (m.pitch_range_semitones for m in measured)
    assert flatter is not None and livelier_ is not None and livelier_ > 1.15 * flatter
    assert abs(measured[1].level_db - measured[0].level_db) < 1.0
    assert abs(measured[1].voiced_share - measured[0].voiced_share) < 0.06
    assert abs(12 * np.log2(measured[1].pitch_hz / measured[0].pitch_hz)) < 0.6
    assert (lively - flat).square().mean().sqrt() < 0.3  # of a deviation of about one


@pytest.mark.shipped
def test_a_lively_synthesis_stays_as_it_is(shipped_editor: LatentEditor) -> None:
    vits = shipped_editor.vits
    with ranges(vits, 0, 0, 0, 0):
        flat = synthesised(vits, SENTENCES[0], "sam_a")
    with ranges(vits, 1, 1, 1, 1):
        assert torch.equal(synthesised(vits, SENTENCES[0], "sam_a"), flat)


@pytest.mark.shipped
def test_a_regular_wave_of_f0_is_no_deeper_than_in_recordings(shipped_editor: LatentEditor) -> None:
    vits = shipped_editor.vits
    noise = generator(3, TEXT_STREAM, 0)
    waved = vits.encode_text(vits.phonemize(WAVED), "kathleen", prior_noise=0.333, generator=noise).latent

    def depth(latent: Latent) -> float:
        f0 = SpeakerDecoder.of(vits, "kathleen").f0(latent.z)[0]
        fast = torch.log2(f0[f0 > 0]) - f0_trend(f0, vits.frames_per_second)
        return 12 * modulation_depth(f0_modulation(fast, (f0 > 0).nonzero().squeeze(1) / vits.frames_per_second))

    assert depth(waved) > 1.5 * LARGEST_WAVE_SEMITONES
    calm = natural_f0(vits, waved, "kathleen")
    assert depth(calm) < 0.7 * depth(waved)
    assert range_of(vits, calm.z, "kathleen") > 0.95 * range_of(vits, waved.z, "kathleen")


def test_it_is_the_same_every_time_and_goes_no_farther_than_it_may() -> None:
    vits = freeze(tiny_voice())
    z = torch.randn(1, ARCHITECTURE.flow_size, 60, generator=torch.Generator().manual_seed(0))
    latent = Latent(z, torch.ones(1, 1, 60))
    assert vits.f0_ranges == [0.0, 0.0]
    assert natural_f0(vits, latent, "anna") is latent
    with torch.no_grad(), ranges(vits, 1000.0, 0.0):
        moved = natural_f0(vits, latent, "anna").z
        assert torch.equal(moved, natural_f0(vits, latent, "anna").z)
        assert natural_f0(vits, latent, "ben") is latent
    assert not moved.requires_grad and not torch.equal(moved, z)
    assert (moved - z).square().mean().sqrt() <= 1.01 * ROUNDS * LONGEST_STEP


def test_a_voice_with_other_f0_ranges_has_another_hash() -> None:
    """The latent space, to which bridges belong, stays."""
    one, other = tiny_voice(), tiny_voice()
    other.config.f0_ranges_semitones = [5.0, 6.0]
    plain, lively = freeze(one), freeze(other)
    assert plain.hash != lively.hash and plain.latent_hash == lively.latent_hash
    assert lively.f0_ranges == [5.0, 6.0]


@dataclass(frozen=True)
class ChannelMean:
    channel: int
    value: float

    def residual(self, z: Tensor) -> Tensor:
        return 9 * (z[:, self.channel].mean() - self.value).abs()


def test_projections_fulfil_what_can_be_fulfilled() -> None:
    z = torch.zeros(1, 3, 40)
    found = project(z, [ChannelMean(0, 0.5), ChannelMean(1, -0.25)])
    assert float(found[:, 0].mean()) == pytest.approx(0.5, abs=0.03)
    assert float(found[:, 1].mean()) == pytest.approx(-0.25, abs=0.03)
    assert torch.equal(found[:, 2], z[:, 2])  # what no objective asks for
    assert torch.equal(z, torch.zeros(1, 3, 40))
