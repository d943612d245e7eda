"""Does the CLAP find the clip that a prompt describes, and read its axes? Held-out recordings and wordings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from latent_edit.axes import AXES, AxisValue
from latent_edit.config import preset_prompts
from latent_edit.data.captions import sample_pair
from latent_edit.data.styles import Style
from latent_edit.evaluation.cached_scores import STYLE, CachedScores
from latent_edit.evaluation.clips import Recording
from latent_edit.evaluation.effects import LEAST, MOST
from latent_edit.evaluation.plan import Plan
from latent_edit.evaluation.rows import Goal, Row
from latent_edit.evaluation.statistics import Estimate, Observation, estimate
from latent_edit.prompts.lexicon import CaptionSplit, load_lexicon

CAPTIONS = 1000


def retrieval_rows(scores: CachedScores, plan: Plan) -> list[Row]:
    """Top-1 among the twelve styles of one recording at a time; chance is 8 %.

    Names: the presets' own. Combinations: known words in templates and combinations that no training caption has.
    Unseen words: the decisive word is in none.
    """
    clips = _world_embeddings(scores, plan)
    presets, prompts = load_lexicon().presets, preset_prompts()
    known, unseen = Goal("≥ 85 %", 0.85, at_least=True), Goal("≥ 60 %", 0.6, at_least=True)
    beside = f"{len(clips)} recordings"
    wordings: list[tuple[str, dict[str, Sequence[str]], Goal | None]] = [
        ("unseen combinations", {prompt: presets[prompt].captions["test"] for prompt in prompts}, known),
        ("unseen words", {prompt: presets[prompt].captions["unseen_words"] for prompt in prompts}, unseen),
        ("preset names", {prompt: [prompt] for prompt in prompts}, None),
    ]
    return [
        Row("CLAP retrieval, top-1 of 12", of, _top1(scores, clips, captions), "percent", goal, beside=beside)
        for of, captions, goal in wordings
    ]


def _world_embeddings(scores: CachedScores, plan: Plan) -> dict[Recording, np.ndarray]:
    """Embeddings of each recording in every preset, [12, D]."""
    found: dict[Recording, list[list[float]]] = {}
    for prompt in preset_prompts():
        for _, recording, control in plan.recorded_edits(prompt):
            found.setdefault(recording, []).append(scores.score(STYLE, control))
    return {recording: np.array(embeddings) for recording, embeddings in found.items()}


def _top1(
    scores: CachedScores, clips: Mapping[Recording, np.ndarray], captions: Mapping[str, Sequence[str]]
) -> Estimate:
    """Mean over presets of the share of captions that found their clip."""
    observations = []
    for row, texts in enumerate(captions.values()):
        words = scores.editor.style_encoder.embed_text(list(texts)).numpy()
        for recording, audio in clips.items():
            right = float(np.mean((audio @ words.T).argmax(axis=0) == row))
            observations.append(Observation(right, recording.text, recording.voice))
    return estimate(observations)


def caption_rows(scores: CachedScores, plan: Plan) -> list[Row]:
    """Captions of which every axis is read right: what a caption names at 0.5 to 2 times its size, the rest tolerated.

    Drawn as for training, and from templates and combinations that no training caption has: a CLAP that misreads both
    alike has not learnt enough, one that misreads the second more has learnt by heart.
    """
    if not plan.axes:
        return []
    encoder = scores.editor.style_encoder
    splits: dict[str, CaptionSplit] = {"drawn as for training": "train", "unseen combinations": "test"}
    rows = []
    for of, split in splits.items():
        generator = np.random.default_rng(0)
        pairs = [sample_pair(generator, split) for _ in range(CAPTIONS)]
        read = [encoder.axes(style) for style in encoder.embed_text([text for _, text in pairs]).split(1)]
        right = [_all_right(style, axes) for (style, _), axes in zip(pairs, read, strict=True)]
        shares = [Observation(x, text, "") for x, (_, text) in zip(right, pairs, strict=True)]
        rows.append(Row("CLAP, captions read right", of, estimate(shares), "percent", beside=f"{CAPTIONS} captions"))
    return rows


def _all_right(meant: Style, read: Mapping[str, AxisValue]) -> bool:
    for name, axis in AXES.items():
        wanted, found = getattr(meant, name), read[name].value
        if abs(wanted) < axis.floor:
            if not min(0, wanted) - axis.tolerance <= found <= max(0, wanted) + axis.tolerance:
                return False
        elif not LEAST <= found / wanted <= MOST:
            return False
    return True
