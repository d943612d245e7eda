"""Along the bridge: every step from the re-timed Z_text to Z', to be heard and seen."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latent_edit.ui.heatmaps import write_heatmap
from latent_edit.ui.parts import served_file
from latent_edit.ui.player import latent_name

if TYPE_CHECKING:
    from latent_edit.synthesis import Synthesis


def bridge_value(stops: Mapping[int, Synthesis], gain: float, folder: Path) -> dict[str, Any]:
    """Write sound and heatmap of every stop, under the number of steps that lead there, into `folder`; describe them.

    stops: each with label, audio (WAV) and image (PNG), all on one colour scale and with one gain, at most the one
    given. last: index of the last of them. alt: what a heatmap shows. source: name of the latent it starts from.
    """
    from latent_edit.audio import shared_gain, write_wav
    from latent_edit.pictures import LATENT_COLOURS, shared_limit

    source = latent_name(stops[0].phonemes)
    sounds = [stop.waveform.item(0).numpy() for stop in stops.values()]
    limit, gain = shared_limit(*(stop.latent for stop in stops.values())), min(gain, shared_gain(*sounds))
    described = []
    for (steps, stop), samples in zip(stops.items(), sounds, strict=True):
        sound = folder / f"step_{steps:03}.wav"
        write_wav(sound, samples, stop.waveform.sampling_rate, gain)
        image = write_heatmap(stop.latent, limit, LATENT_COLOURS, folder / f"step_{steps:03}.png")
        label = stop_label(steps, max(stops), source)
        described.append({"label": label, "audio": served_file(sound), "image": served_file(image)})
    last, alt = len(stops) - 1, "Heatmap of the latent at this step"
    return {"stops": described, "last": last, "alt": alt, "source": source}


def stop_label(steps: int, last: int, source: str) -> str:
    """Where a stop stands after so many steps, from 0 (`source`) to `last` (Z'), in words."""
    if steps == 0:
        return f"{source}, re-timed"
    return "Z\u2032" if steps == last else f"Step {steps} of {last}"
