"""A reference clip lends its manner and not its microphone: how loud it is says nothing, how it is spoken does.

A CLAP hears level as part of the style, and everything else in a clip the same at any level. So a clip is levelled, and
then made as loud as its manner would be: vocal effort shows in F0 and spectral tilt (Traunmueller & Eriksson 2000, JASA
107(6), "Acoustic effects of variation in vocal effort"), and a whisper in its breath.
"""

from __future__ import annotations

from collections.abc import Mapping

from latent_edit.axes import BREATHINESS, LEVEL, PITCH, TILT, AxisValue
from latent_edit.models.clap import StyleEncoder
from latent_edit.recording.clips import LOUDNESS_LUFS, cleaned, levelled
from latent_edit.recording.quality import Quality
from latent_edit.types import Waveform

# Least squares over the presets (presets/styles.yaml): dB of level for a semitone of F0, a dB of tilt, and all breath.
LEVEL_OF = {PITCH: 0.34, TILT: 0.65, BREATHINESS: -7.5}
FARTHEST_DB = 10.0


def with_its_level(encoder: StyleEncoder, clip: Waveform, measured: Quality) -> Waveform:
    """A clip without its noise, as loud as its manner is; at the loudness of the voices for a CLAP without axes.

    Loudness in LUFS hears the high frequencies of a shout more than a CLAP does. So what is brought to the level of the
    manner is the level that the CLAP hears.
    """
    clip = cleaned(clip, measured)
    axes = encoder.axes(encoder.embed_audio(clip))
    if not (LEVEL_OF.keys() | {LEVEL}) <= axes.keys():
        return clip
    first = _level_of(axes)
    axes = encoder.axes(encoder.embed_audio(levelled(clip, LOUDNESS_LUFS + first)))
    level = first + _level_of(axes) - axes[LEVEL].value
    return levelled(clip, LOUDNESS_LUFS + min(max(level, -FARTHEST_DB), FARTHEST_DB))


def _level_of(axes: Mapping[str, AxisValue]) -> float:
    """The level in dB that fits the other axes."""
    asked = {name: axes[name].value for name in LEVEL_OF}
    asked[PITCH] *= 1 - min(max(asked[BREATHINESS], 0.0), 1.0)  # what is whispered has none
    level = sum(asked[name] * decibels for name, decibels in LEVEL_OF.items())
    return min(max(level, -FARTHEST_DB), FARTHEST_DB)
