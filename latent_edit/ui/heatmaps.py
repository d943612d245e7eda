"""The latents of an edit as pictures on one time axis: one pixel is one value, the browser adds axes and phonemes.

Pitch and loudness lie above them on the same axis.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from latent_edit.ui.curves import curves_value
from latent_edit.ui.parts import served_file
from latent_edit.ui.player import latent_name, time_ticks, unedited

if TYPE_CHECKING:
    from latent_edit.result import EditResult, TimedPhoneme
    from latent_edit.synthesis import Synthesis
    from latent_edit.types import Latent, Waveform

SHADES = 255  # odd, so that zero has a shade of its own; index 255 of the palette is left for pauses
PIXELS_PER_PHONEME = 10  # a phoneme gets at least so much on average; a long text is scrolled inside its box
RUNS_AS_PROGRAM = str.maketrans("", "", "$`\\")  # gradio runs these in a template; no phoneme needs them


class Heatmap(NamedTuple):
    """What is drawn: a latent [1, C, T] on a scale from -limit to limit, in the time of a clip (before or after) that
    has these phonemes and lasts so many seconds."""

    name: str
    clip: str
    title: str
    explanation: str
    latent: Latent
    limit: float
    colours: str
    phonemes: Sequence[TimedPhoneme]
    seconds: float


def heatmaps_value(result: EditResult, folder: Path) -> dict[str, Any]:
    """Write the three heatmaps of an edit into `folder` and describe them, with the curves over them.

    curves: see `curves_value`. pictures: each with image (PNG), clip (whose time it follows), title, alt, share of the
    time axis in percent, limit (half range of its colour scale, as text), colours (a CSS gradient) and symbols
    (phonemes with their places). ticks: of the time axis. width: pixels below which symbols would lie on each other.
    """
    from latent_edit.pictures import DIFFERENCE_COLOURS, LATENT_COLOURS

    limit, name = result.colour_limit, latent_name(result.phonemes_before)
    before = result.phonemes_before, seconds(result.before)
    after = result.phonemes_after, seconds(result.after)
    change = f"Z\u2032 less re-timed {name}"
    maps = [
        Heatmap(
            "z_text", "before", name, unedited(result.phonemes_before), result.z_text, limit, LATENT_COLOURS, *before
        ),
        Heatmap("z_edit", "after", "Z\u2032", "after the bridge", result.z_edit, limit, LATENT_COLOURS, *after),
        Heatmap("difference", "after", "Difference", change, result.difference, limit, DIFFERENCE_COLOURS, *after),
    ]
    return _shown(maps, result.clips, folder)


def synthesis_heatmap_value(synthesis: Synthesis, folder: Path) -> dict[str, Any]:
    """Like `heatmaps_value`, for the plain synthesis alone: what can be seen while the bridge still works."""
    from latent_edit.pictures import LATENT_COLOURS, shared_limit

    limit, clip = shared_limit(synthesis.latent), synthesis.waveform
    z_text = Heatmap(
        "z_text", "before", latent_name(synthesis.phonemes), unedited(synthesis.phonemes), synthesis.latent, limit,
        LATENT_COLOURS, synthesis.phonemes, seconds(clip),
    )  # fmt: skip
    return _shown([z_text], {}, folder)


def seconds(clip: Waveform) -> float:
    """How long a batch of one lasts."""
    return clip.item(0).shape[0] / clip.sampling_rate


def _shown(maps: Sequence[Heatmap], clips: Mapping[str, Waveform], folder: Path) -> dict[str, Any]:
    longest = max(heatmap.seconds for heatmap in maps)
    return {
        "curves": curves_value(clips, longest) if clips else [],
        "pictures": [_picture(heatmap, longest, folder) for heatmap in maps],
        "ticks": time_ticks(longest),
        "width": PIXELS_PER_PHONEME * len(maps[-1].phonemes),
    }


def _picture(heatmap: Heatmap, longest: float, folder: Path) -> dict[str, Any]:
    """One heatmap, written and described; `longest`: seconds of the whole time axis."""
    channels, frames = heatmap.latent.z.shape[1:]
    path = write_heatmap(heatmap.latent, heatmap.limit, heatmap.colours, folder / f"heatmap_{heatmap.name}.png")
    return {
        "name": heatmap.name,
        "clip": heatmap.clip,
        "title": heatmap.title,
        "explanation": heatmap.explanation,
        "alt": f"Heatmap of {heatmap.title}: {heatmap.explanation}, {channels} channels by {frames} frames.",
        "image": served_file(path),
        "share": round(100 * heatmap.seconds / longest, 2),
        "limit": f"{heatmap.limit:.1f}",
        "colours": ", ".join(gradient(heatmap.colours)),
        "symbols": places(heatmap.phonemes, heatmap.seconds),
    }


def write_heatmap(latent: Latent, limit: float, colours: str, path: Path) -> Path:
    """z of a single item as a PNG of T x C pixels, channel 0 lowest.

    Palette index 0 is -limit or less, 254 is limit or more, 255 is a pause and transparent.
    """
    from PIL import Image

    from latent_edit.pictures import heatmap_values

    values = heatmap_values(latent)
    shades = np.rint((np.clip(values / limit, -1.0, 1.0) + 1.0) / 2.0 * (SHADES - 1)).astype(np.uint8)
    shades[:, latent.mask[0, 0].cpu().numpy() == 0] = SHADES
    image = Image.fromarray(np.ascontiguousarray(shades[::-1]), mode="P")
    image.putpalette([*palette(colours).ravel().tolist(), 0, 0, 0])
    image.save(path, transparency=SHADES)
    return path


def palette(colours: str) -> np.ndarray:
    """A colour map of matplotlib as [SHADES, 3] uint8."""
    from matplotlib import colormaps

    return (colormaps[colours](np.linspace(0.0, 1.0, SHADES))[:, :3] * 255).round().astype(np.uint8)


def gradient(colours: str) -> list[str]:
    """A colour map as nine CSS colours, for its scale."""
    return [f"rgb({r} {g} {b})" for r, g, b in palette(colours)[:: (SHADES - 1) // 8 or 1].tolist()][:9]


def places(phonemes: Sequence[TimedPhoneme], seconds: float) -> list[dict[str, Any]]:
    """Symbols with left edge and width in percent of a clip of that length."""
    return [
        {
            "symbol": phoneme.symbol.translate(RUNS_AS_PROGRAM),
            "left": round(100 * phoneme.start_second / seconds, 2),
            "width": round(100 * (phoneme.end_second - phoneme.start_second) / seconds, 2),
        }
        for phoneme in phonemes
        if not phoneme.symbol.isspace()
    ]
