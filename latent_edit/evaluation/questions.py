"""Whether yes/no questions rise and statements do not: python -m latent_edit.evaluation.questions [--seeds N].

Measured on the sound with Praat's F0: the mean of the last tenth of a second that is voiced, against the median of the
sentence, for the pairs of `presets/questions.yaml` in every voice.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
import typer

from latent_edit.config import PRESETS, read_yaml
from latent_edit.measures import FRAME_SECONDS, track_pitch

END_FRAMES = round(0.1 / FRAME_SECONDS)


def final_semitones(samples: np.ndarray, sampling_rate: int) -> float | None:
    """F0 at the end of a clip above its median, in semitones; None where too little of it is voiced."""
    track = track_pitch(samples, sampling_rate)
    voiced = track.frequencies[track.voiced]
    if len(voiced) < 2 * END_FRAMES:
        return None
    octaves = np.log2(voiced)
    return float(12 * (octaves[-END_FRAMES:].mean() - np.median(octaves)))


def rising_share(ends: list[float | None]) -> float | None:
    """The share of clips that end above their median; None where none could be measured."""
    measured = [end for end in ends if end is not None]
    return sum(end > 0 for end in measured) / len(measured) if measured else None


def main(seeds: Annotated[int, typer.Option(help="Readings of each sentence.")] = 1) -> None:
    """Print for every voice how many questions and how many statements end above their median."""
    from latent_edit.editor import LatentEditor

    editor, pairs = LatentEditor.load(), read_yaml(PRESETS / "questions.yaml")
    typer.echo(f"{'voice':<12}{'questions':>10}{'statements':>12}{'semitones':>20}")
    for voice in editor.voices:
        ends: tuple[list[float | None], list[float | None]] = ([], [])
        for seed in range(seeds):
            for pair in pairs:
                for kind, text in zip(ends, pair, strict=True):
                    waveform = editor.say(text, voice, seed).waveform
                    kind.append(final_semitones(waveform.item(0).numpy(), waveform.sampling_rate))
        shares = [rising_share(kind) for kind in ends]
        medians = [float(np.median([end for end in kind if end is not None])) for kind in ends]
        cells = ["-" if share is None else f"{share:.0%}" for share in shares]
        typer.echo(f"{voice:<12}{cells[0]:>10}{cells[1]:>12}{medians[0]:>10.1f}{medians[1]:>10.1f}")


if __name__ == "__main__":
    typer.run(main)
