"""Clips that a person gives: whether somebody speaks in them, how far above the noise, and how the voice hears them."""

from latent_edit.recording.clips import LOUDNESS_LUFS, cleaned, levelled, nearest_speaker, read_clip, read_speech
from latent_edit.recording.denoising import denoised
from latent_edit.recording.quality import Quality, quality
from latent_edit.recording.reference import with_its_level

__all__ = [
    "LOUDNESS_LUFS",
    "Quality",
    "cleaned",
    "denoised",
    "levelled",
    "nearest_speaker",
    "quality",
    "read_clip",
    "read_speech",
    "with_its_level",
]
