"""The parts of an F0 contour, and contours of another range."""

from __future__ import annotations

import pytest
import torch

from latent_edit.models.f0_contours import (
    LOWEST_OCTAVES,
    f0_modulation,
    f0_range,
    f0_trend,
    modulation_depth,
    with_range,
)


def test_a_wider_contour_gets_higher_but_no_lower_than_a_voice_goes() -> None:
    """The slow part is widened until all of it has the range; the quick part stays."""
    slow = 0.2 * torch.sin(torch.linspace(0, 12, 200))
    quick = 0.02 * torch.sin(torch.linspace(0, 300, 200))
    octaves = with_range(slow, quick, 1.1)
    assert f0_range(octaves) == pytest.approx(1.1, rel=0.05)
    middle = slow.median()
    assert float((octaves - middle).min()) > -LOWEST_OCTAVES
    assert float((octaves - middle).max()) > 1.1 * LOWEST_OCTAVES
    order = slow.argsort()
    flat_quick = with_range(slow, torch.zeros(200), 1.1)
    assert torch.equal(flat_quick.argsort(), order)  # bent, not broken
    high = slow > 0.1
    assert float((octaves - with_range(slow, 0 * quick, 1.1) - quick)[high].abs().max()) < 0.02
    assert f0_range(with_range(slow, quick, 9.0, most=1.5)) < 1.6 * f0_range(slow + quick)
    assert f0_range(with_range(slow, quick, 0.1)) == pytest.approx(0.1, rel=0.1)  # narrower as well


def test_the_trend_is_what_is_slow() -> None:
    """In octaves, of the voiced frames alone."""
    time = torch.arange(200) / 62.5
    slow, quick = 0.3 * torch.sin(2 * torch.pi * 0.5 * time), 0.1 * torch.sin(2 * torch.pi * 6 * time)
    pitch = 150 * torch.exp2(slow + quick)
    pitch[80:100] = 0
    found = f0_trend(pitch, 62.5)
    voiced = pitch > 0
    assert found.shape == (180,)
    inner = slice(25, 55)
    assert float((found - torch.log2(torch.tensor(150.0)) - slow[voiced])[inner].abs().max()) < 0.05


def test_a_wave_is_found_among_what_is_quick() -> None:
    """With gaps, as between voiced stretches; what has no rate of a tremor is left."""
    time = torch.cat([torch.arange(60), torch.arange(90, 200)]) / 62.5
    trembling = 0.1 * torch.sin(2 * torch.pi * 6.3 * time + 1)
    quick = trembling + 0.05 * torch.sin(2 * torch.pi * 11 * time)
    found = f0_modulation(quick, time)
    assert float((found - trembling).abs().max()) < 0.02
    assert modulation_depth(found) == pytest.approx(0.1, rel=0.1) and modulation_depth(quick) > modulation_depth(found)
    nothing = torch.zeros(0)
    assert f0_modulation(nothing, nothing).shape == (0,) and 0 < modulation_depth(nothing) < 1e-3
