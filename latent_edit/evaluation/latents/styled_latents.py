"""Held-out recordings in other styles, through the posterior encoder: where styles lie in the latent space."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from latent_edit.data.styles import Style, random_style
from latent_edit.data.world import analyse, synthesise
from latent_edit.evaluation.clips import Sound
from latent_edit.evaluation.latents.latent_frames import (
    MEL,
    PRIOR_AUDIO,
    Z_AUDIO,
    Z_TEXT,
    Spoken,
    at_rate_of,
    encode,
    frames,
    log_mel,
    stretched,
)

if TYPE_CHECKING:
    from latent_edit.editor import LatentEditor

NEUTRAL = "as rendered"  # through WORLD without a style
NAMED = ("a whisper", "an angry shout", "sad and slow", "excited")  # presets that are far apart
SEED = 20231118


@dataclass(frozen=True)
class Rendered:
    """A recording in one style, by WORLD. name: of a preset, or "" of a random style.

    spaces: name -> frames [T, D]. text: Z_text on the MAS path of the recording, stretched as the style stretches it,
    [T, C]. neutral: the same rendering without a style, by its means (space -> [D]).
    """

    spoken: Spoken
    name: str
    style: Style
    spaces: dict[str, np.ndarray]
    text: np.ndarray
    neutral: dict[str, np.ndarray]

    @property
    def means(self) -> dict[str, np.ndarray]:
        """Mean frame of each space, [D]."""
        return {space: values.mean(axis=0) for space, values in self.spaces.items()}


def render(
    editor: LatentEditor,
    recordings: Sequence[Spoken],
    random_styles: int,
    tell: Callable[[int, int], None] = lambda *_: None,
) -> list[Rendered]:
    """Each recording without a style, in the named styles, and in some that are drawn at random."""
    found = []
    for index, spoken in enumerate(recordings):
        generator = np.random.default_rng([SEED, index])
        sound = at_rate_of(editor.vits, spoken.recording.render(editor))
        analysis = analyse(sound.samples, sound.rate)
        drawn = [("", random_style(generator)) for _ in range(random_styles)]
        asked = [(NEUTRAL, Style()), *((name, Style.named(name)) for name in NAMED), *drawn]
        neutral: dict[str, np.ndarray] = {}
        for name, style in asked:
            samples = synthesise(analysis, style)
            spaces = _spaces(editor, Sound(samples, sound.rate), spoken.recording.voice)
            neutral = neutral or {space: values.mean(axis=0) for space, values in spaces.items()}
            text = spoken.spaces[Z_TEXT][stretched(len(spoken), len(spaces[Z_AUDIO]))]
            found.append(Rendered(spoken, name, style, spaces, text, neutral))
        tell(index + 1, len(recordings))
    return found


def _spaces(editor: LatentEditor, sound: Sound, voice: str) -> dict[str, np.ndarray]:
    vits = editor.vits
    sound = at_rate_of(vits, sound)
    latent = encode(vits, sound, voice)
    return {MEL: log_mel(vits, sound), Z_AUDIO: frames(latent), PRIOR_AUDIO: frames(vits.to_prior(latent, voice))}
