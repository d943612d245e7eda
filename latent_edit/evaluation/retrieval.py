"""Does a CLAP find the clip that a prompt describes? Held-out recordings in the twelve presets, held-out wordings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch

from latent_edit.config import preset_prompts
from latent_edit.data.lexicon import load_lexicon
from latent_edit.data.styles import Style
from latent_edit.data.world import analyse, synthesise
from latent_edit.errors import InputError
from latent_edit.models.clap import StyleEncoder
from latent_edit.types import Waveform


@dataclass(frozen=True)
class Retrieval:
    """Text-to-audio retrieval among the twelve preset renditions of one recording at a time; chance is 1 in 12.

    names: top-1 for the presets' own names. top1: for known words in templates and combinations that no training
    caption has. unseen_words: for prompts whose decisive word is in none. by_preset: `top1` for each preset.
    confusion: [12, 12] how often the prompts of a row's preset (those of `top1`) found a column's clip.
    """

    recordings: int
    names: float
    top1: float
    unseen_words: float
    by_preset: Mapping[str, float]
    confusion: np.ndarray


def retrieval(encoder: StyleEncoder, recordings: Iterable[tuple[np.ndarray, int]]) -> Retrieval:
    """Judge an encoder on held-out recordings, (samples float32 [N], rate in Hz) each. Raises InputError on none."""
    presets = load_lexicon().presets
    prompts = preset_prompts()
    names = {prompt: [prompt] for prompt in prompts}
    test = {prompt: list(presets[prompt].captions["test"]) for prompt in prompts}
    unseen = {prompt: list(presets[prompt].captions["unseen_words"]) for prompt in prompts}
    clips = [_preset_clips(encoder, samples, rate, prompts) for samples, rate in recordings]
    if not clips:
        raise InputError("there are no held-out recordings to judge the CLAP on")
    audio = torch.stack(clips)
    confusion = _confusion(encoder, audio, test)
    right = np.diag(confusion) / confusion.sum(axis=1)
    return Retrieval(
        recordings=len(clips),
        names=_top1(_confusion(encoder, audio, names)),
        top1=_top1(confusion),
        unseen_words=_top1(_confusion(encoder, audio, unseen)),
        by_preset={prompt: float(share) for prompt, share in zip(prompts, right, strict=True)},
        confusion=confusion,
    )


def _preset_clips(encoder: StyleEncoder, samples: np.ndarray, rate: int, prompts: list[str]) -> torch.Tensor:
    """Embeddings of one recording rendered in each preset, [12, D]."""
    analysis = analyse(samples, rate)
    rendered = [torch.from_numpy(synthesise(analysis, Style.named(prompt)).samples) for prompt in prompts]
    return torch.cat([encoder.embed_audio(Waveform.of(clip, rate)) for clip in rendered])


def _confusion(encoder: StyleEncoder, audio: torch.Tensor, captions: Mapping[str, list[str]]) -> np.ndarray:
    """How often the captions of each preset found each clip, over all recordings. audio: [recordings, 12, D]."""
    counts = np.zeros((len(captions), len(captions)), dtype=int)
    for row, texts in enumerate(captions.values()):
        found = torch.einsum("rcd,td->rtc", audio, encoder.embed_text(texts)).argmax(dim=2)
        counts[row] = np.bincount(found.flatten().numpy(), minlength=len(captions))
    return counts


def _top1(confusion: np.ndarray) -> float:
    """Mean over presets of the share of right choices."""
    return float(np.mean(np.diag(confusion) / confusion.sum(axis=1)))
