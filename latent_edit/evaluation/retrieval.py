"""Does the CLAP find the clip that a prompt describes? Held-out recordings in the twelve presets, held-out wordings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from latent_edit.config import preset_prompts
from latent_edit.data.lexicon import load_lexicon
from latent_edit.evaluation.clips import Recording
from latent_edit.evaluation.jury import STYLE, Jury
from latent_edit.evaluation.plan import Plan
from latent_edit.evaluation.rows import Goal, Row
from latent_edit.evaluation.statistics import Estimate, Observation, estimate


def retrieval_rows(jury: Jury, plan: Plan) -> list[Row]:
    """Top-1 among the twelve renditions of one recording at a time; chance is 8 %.

    Names: the presets' own. Combinations: known words in templates and combinations that no training caption has.
    Unseen words: the decisive word is in none.
    """
    clips = _renditions(jury, plan)
    presets, prompts = load_lexicon().presets, preset_prompts()
    gate = Goal("≥ 85 %", 0.85, at_least=True)
    beside = f"{len(clips)} recordings"
    wordings: list[tuple[str, dict[str, Sequence[str]], Goal | None]] = [
        ("unseen combinations", {prompt: presets[prompt].captions["test"] for prompt in prompts}, gate),
        ("unseen words", {prompt: presets[prompt].captions["unseen_words"] for prompt in prompts}, None),
        ("preset names", {prompt: [prompt] for prompt in prompts}, None),
    ]
    return [
        Row("CLAP retrieval, top-1 of 12", of, _top1(jury, clips, captions), "percent", goal, beside=beside)
        for of, captions, goal in wordings
    ]


def _renditions(jury: Jury, plan: Plan) -> dict[Recording, np.ndarray]:
    """Embeddings of each recording in every preset, [12, D]."""
    found: dict[Recording, list[list[float]]] = {}
    for prompt in preset_prompts():
        for _, recording, rendition in plan.controls(prompt):
            found.setdefault(recording, []).append(jury.ask(STYLE, rendition))
    return {recording: np.array(embeddings) for recording, embeddings in found.items()}


def _top1(jury: Jury, clips: Mapping[Recording, np.ndarray], captions: Mapping[str, Sequence[str]]) -> Estimate:
    """Mean over presets of the share of captions that found their clip."""
    observations = []
    for row, texts in enumerate(captions.values()):
        words = jury.editor.style_encoder.embed_text(list(texts)).numpy()
        for recording, audio in clips.items():
            right = float(np.mean((audio @ words.T).argmax(axis=0) == row))
            observations.append(Observation(right, recording.text, recording.voice))
    return estimate(observations)
