"""Heatmaps of latents. What is plotted is z itself; colour maps are perceptually even and safe for the colour-blind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from latent_edit.types import Latent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TimedSymbol = tuple[str, float, float]  # symbol, start and end in seconds

LATENT_COLOURS, DIFFERENCE_COLOURS = "viridis", "RdBu_r"
PAUSE_COLOUR, INK, QUIET_INK = "#f2f2f2", "#1f2430", "#5b6372"  # both inks have a contrast above 4.5:1 on white
COLOUR_QUANTILE = 0.995  # the largest half per cent of values share the ends of the scale, which are then pointed
INCHES_PER_SECOND, MIN_INCHES, MAX_INCHES, HEIGHT_INCHES = 1.6, 9.0, 24.0, 3.9
DOTS_PER_INCH = 150
SYMBOL_INCHES = 0.075  # a phoneme narrower than its letter is drawn without one
FLAT = 1e-6  # the half range of a picture of nothing, so that it still has a scale


@dataclass(frozen=True)
class View:
    """The time axis that pictures of one edit share. seconds_per_frame: of the latents; seconds: length of the axis."""

    seconds_per_frame: float
    seconds: float


def heatmap_values(latent: Latent) -> np.ndarray:
    """What a heatmap shows: z of a single item as [C, T], unchanged."""
    return latent.z[0].detach().cpu().numpy()


def shared_limit(*latents: Latent) -> float:
    """Half range of the colour scale on which all these latents are drawn: the 99.5 % quantile of |z| where spoken."""
    magnitudes = [np.abs(heatmap_values(latent))[:, _spoken(latent)].ravel() for latent in latents]
    together = np.concatenate(magnitudes)
    return max(float(np.quantile(together, COLOUR_QUANTILE)), FLAT) if together.size else FLAT


def latent_figure(latent: Latent, view: View, title: str, limit: float, phonemes: Sequence[TimedSymbol] = ()) -> Figure:
    """Heatmap of a single item [1, C, T] on a scale from -limit to limit; pauses stay grey."""
    subtitle = "Each row is a channel of the latent, each column a frame."
    return _draw(_plotted(latent), view, (title, subtitle, "value of z"), LATENT_COLOURS, limit, phonemes)


def difference_figure(
    difference: Latent, view: View, limit: float, phonemes: Sequence[TimedSymbol] = (), start: str = "Z_text"
) -> Figure:
    """Heatmap of Z' - source [1, C, T] on a scale from -limit to limit, in diverging colours. start: source's name."""
    subtitle = f"Z\u2032 minus {start} re-timed to the same durations: what the bridge changed, pace apart."
    words = "Difference", subtitle, "change of z"
    return _draw(_plotted(difference), view, words, DIFFERENCE_COLOURS, limit, phonemes)


def _spoken(latent: Latent) -> np.ndarray:
    """Which frames belong to speech, [T] bool."""
    return latent.mask[0, 0].detach().cpu().numpy() > 0


def _plotted(latent: Latent) -> np.ma.MaskedArray:
    """The values of a heatmap, [C, T], with the pauses masked out."""
    values = heatmap_values(latent)
    return np.ma.MaskedArray(values, np.broadcast_to(~_spoken(latent), values.shape))


def _draw(
    values: np.ma.MaskedArray,
    view: View,
    words: tuple[str, str, str],
    colours: str,
    limit: float,
    phonemes: Sequence[TimedSymbol],
) -> Figure:
    """`words`: title, subtitle and the label of the colour scale. No pyplot: it would keep the figure alive."""
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    title, subtitle, scale_label = words
    width = float(np.clip(INCHES_PER_SECOND * view.seconds, MIN_INCHES, MAX_INCHES))
    figure = Figure(figsize=(width, HEIGHT_INCHES), dpi=DOTS_PER_INCH, facecolor="white")
    left, right = 0.75 / width, 1 - 1.0 / width
    axes = figure.add_axes((left, 0.235, right - left, 0.58))
    frames = values.shape[1] * view.seconds_per_frame
    image = axes.imshow(
        values,
        cmap=colormaps[colours].with_extremes(bad=PAUSE_COLOUR),
        vmin=-limit,
        vmax=limit,
        aspect="auto",
        origin="lower",
        interpolation="nearest",
        extent=(0.0, frames, -0.5, values.shape[0] - 0.5),
    )
    scale_axes = figure.add_axes((right + 0.15 / width, 0.235, 0.13 / width, 0.58))
    beyond = bool((np.abs(values.compressed()) > limit).any())
    scale = figure.colorbar(image, cax=scale_axes, extend="both" if beyond else "neither")
    scale.set_label(scale_label, color=INK)
    scale.outline.set_visible(False)
    figure.text(left, 0.93, title, fontsize=13, fontweight="bold", color=INK, va="center")
    figure.text(left, 0.858, subtitle, fontsize=9, color=QUIET_INK, va="center")
    _dress(axes, view)
    _write_phonemes(figure, axes, view, phonemes, (right - left) * width)
    return figure


def _dress(axes: Axes, view: View) -> None:
    axes.set_facecolor("white")
    axes.set_xlim(0.0, view.seconds)
    axes.set_ylabel("channel", color=INK)
    for name, spine in axes.spines.items():
        spine.set_visible(name == "bottom")
        spine.set_color(QUIET_INK)
    axes.tick_params(colors=QUIET_INK, labelsize=9)


def _write_phonemes(
    figure: Figure, axes: Axes, view: View, phonemes: Sequence[TimedSymbol], axes_inches: float
) -> None:
    """A strip of phonemes under the heatmap, and the seconds under that."""
    box = axes.get_position()
    strip = figure.add_axes((box.x0, 0.165, box.width, 0.07), sharex=axes)
    strip.set_ylim(0.0, 1.0)
    strip.set_yticks([])
    strip.set_xlabel("time (seconds)", color=INK)
    strip.tick_params(colors=QUIET_INK, labelsize=9)
    axes.tick_params(bottom=False, labelbottom=False)
    for name, spine in strip.spines.items():
        spine.set_visible(name == "bottom")
        spine.set_color(QUIET_INK)
    for symbol, start, end in phonemes:
        strip.axvline(start, ymin=0.0, ymax=1.0, color="#c9ced6", linewidth=0.5)
        if (end - start) / view.seconds * axes_inches >= SYMBOL_INCHES:
            middle = (start + end) / 2
            strip.text(middle, 0.45, symbol, fontsize=8, color=INK, ha="center", va="center", clip_on=True)
