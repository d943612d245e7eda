"""What is plotted is z itself, on one colour scale, with seconds on the axis."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from latent_edit import pictures
from latent_edit.types import Latent

VIEW = pictures.View(seconds_per_frame=0.016, seconds=1.2)


def latent(frames: int, channels: int = 12, scale: float = 1.0, gap: slice | None = None) -> Latent:
    z = scale * torch.randn(1, channels, frames, generator=torch.Generator().manual_seed(frames))
    mask = torch.ones(1, 1, frames)
    if gap:
        mask[:, :, gap] = 0
    return Latent(z * mask, mask)


def test_the_values_are_z_itself() -> None:
    item = latent(50, gap=slice(20, 30))
    np.testing.assert_array_equal(pictures.heatmap_values(item), item.z[0].numpy())


def test_the_picture_holds_z_array_for_array() -> None:
    item = latent(60, gap=slice(20, 30))
    figure = pictures.latent_figure(item, VIEW, "Before", limit=2.0)
    (image,) = figure.axes[0].images
    drawn = image.get_array()
    np.testing.assert_array_equal(drawn.data, item.z[0].numpy())
    np.testing.assert_array_equal(drawn.mask, np.broadcast_to(item.mask[0].numpy() == 0, drawn.shape))
    assert image.get_interpolation() == "nearest"
    assert image.origin == "lower"
    assert image.get_clim() == (-2.0, 2.0)


def test_frames_lie_at_their_seconds() -> None:
    figure = pictures.latent_figure(latent(50), VIEW, "Before", limit=1.0)
    axes = figure.axes[0]
    assert axes.images[0].get_extent() == pytest.approx((0.0, 50 * 0.016, -0.5, 11.5))
    assert axes.get_xlim() == pytest.approx((0.0, 1.2))
    assert [each.get_xlabel() for each in figure.axes if each.get_xlabel()] == ["time (seconds)"]


def test_the_difference_is_drawn_around_zero_in_colours_of_its_own() -> None:
    difference = latent(40, scale=3.0, gap=slice(5, 9))
    figure = pictures.difference_figure(difference, VIEW, limit=2.0)
    (image,) = figure.axes[0].images
    np.testing.assert_array_equal(image.get_array().data, difference.z[0].numpy())
    assert image.get_clim() == (-2.0, 2.0)
    assert image.get_cmap().name != pictures.LATENT_COLOURS
    assert any("re-timed" in text.get_text() for text in figure.texts)


def test_one_scale_for_all_ignores_pauses_and_few_outliers() -> None:
    small, large = latent(400), latent(300, scale=2.0)
    limit = pictures.shared_limit(small, large)
    assert limit == pytest.approx(np.quantile(np.abs(np.concatenate([small.z.ravel(), large.z.ravel()])), 0.995))
    spike = Latent(small.z.clone(), small.mask)
    spike.z[0, 0, 0] = 1e6
    assert pictures.shared_limit(spike, large) == pytest.approx(limit, rel=0.02)
    gap = Latent(torch.cat([small.z, torch.zeros(1, 12, 4000)], 2), torch.cat([small.mask, torch.zeros(1, 1, 4000)], 2))
    assert pictures.shared_limit(gap, large) == limit


def test_values_beyond_the_scale_are_shown_by_its_ends() -> None:
    item = latent(50)
    assert pictures.latent_figure(item, VIEW, "t", limit=0.5).axes[1]._colorbar.extend == "both"
    assert pictures.latent_figure(item, VIEW, "t", limit=50.0).axes[1]._colorbar.extend == "neither"


def test_equal_latents_still_make_a_picture() -> None:
    nothing = Latent(torch.zeros(1, 12, 30), torch.ones(1, 1, 30))
    (image,) = pictures.difference_figure(nothing, VIEW, pictures.shared_limit(nothing)).axes[0].images
    assert (image.get_array() == 0).all()
    assert image.get_clim()[1] > 0


def test_phonemes_are_written_where_they_are_heard() -> None:
    phonemes = [("h", 0.0, 0.3), ("a", 0.3, 0.9), ("x", 0.9, 0.9001)]
    figure = pictures.latent_figure(latent(60), VIEW, "t", 1.0, phonemes)
    strip = next(axes for axes in figure.axes if axes.get_xlabel())
    assert {text.get_text(): text.get_position()[0] for text in strip.texts} == pytest.approx({"h": 0.15, "a": 0.6})


def test_colours_order_by_lightness_for_the_colour_blind() -> None:
    """A map read by lightness alone: the latent's rises throughout, the difference's falls on both sides of zero."""
    from matplotlib import colormaps

    luminance = [0.2126, 0.7152, 0.0722]
    latent_map = colormaps[pictures.LATENT_COLOURS](np.linspace(0, 1, 64))[:, :3] @ luminance
    assert (np.diff(latent_map) > 0).all()
    difference_map = colormaps[pictures.DIFFERENCE_COLOURS](np.linspace(0, 1, 65))[:, :3] @ luminance
    assert difference_map.argmax() == 32
    assert (np.diff(difference_map[:33:4]) > 0).all()
    assert (np.diff(difference_map[32::4]) < 0).all()


@pytest.mark.parametrize("colour", [pictures.INK, pictures.QUIET_INK])
def test_ink_has_contrast_on_white(colour: str) -> None:
    """WCAG 2.1, success criterion 1.4.3: at least 4.5 to 1."""
    from matplotlib.colors import to_rgb

    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    luminance = float(np.dot(linear, [0.2126, 0.7152, 0.0722]))
    assert 1.05 / (luminance + 0.05) >= 4.5
