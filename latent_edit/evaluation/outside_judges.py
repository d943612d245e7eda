"""The headlines: what judges find that know nothing of this project and at which nothing in it aims."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from latent_edit import judges
from latent_edit.evaluation.cached_scores import CachedScores
from latent_edit.evaluation.clips import Clip
from latent_edit.evaluation.comparison import Figure, compare
from latent_edit.evaluation.controls import systems
from latent_edit.evaluation.plan import Plan, Trial
from latent_edit.evaluation.rows import Row
from latent_edit.evaluation.synthesis_quality import errors

# Figure -> the package of its judge, as it is imported.
PACKAGES = {
    "words lost (Moonshine)": judges.MOONSHINE,
    "words lost (pocketsphinx)": judges.RECOGNISER,
    "DistillMOS, after - before": judges.DISTILLMOS,
    "DNSMOS, after - before": judges.DNSMOS,
    "same voice, cosine": judges.SPEAKER_ENCODER,
}


def outside_rows(scores: CachedScores, plan: Plan) -> list[Row]:
    """Every figure of every installed judge for every system on the presets."""
    return compare(scores, plan.presets, systems(plan), _figures(), plan.split)


def words_lost(recogniser: str) -> Callable[[CachedScores, Trial, Clip], tuple[float, float]]:
    """Words wrong in a clip less words wrong before, out of the words of the sentence."""

    def measure(scores: CachedScores, trial: Trial, clip: Clip) -> tuple[float, float]:
        wrong, words = errors(scores, clip, recogniser)
        return wrong - errors(scores, trial.edit.before, recogniser)[0], words

    return measure


def _figures() -> list[Figure]:
    figures = [
        Figure("words lost (Moonshine)", "points", words_lost("moonshine")),
        Figure("words lost (pocketsphinx)", "points", words_lost("pocketsphinx")),
        Figure("DistillMOS, after - before", "mos", change_of("distillmos")),
        Figure("DNSMOS, after - before", "mos", change_of("dnsmos")),
        Figure("same voice, cosine", "cosine", same_voice),
    ]
    return [figure for figure in figures if judges.installed(PACKAGES[figure.what])]


def change_of(judge: str) -> Callable[[CachedScores, Trial, Clip], tuple[float, float] | None]:
    """A judge's score of a clip less its score of before."""

    def measure(scores: CachedScores, trial: Trial, clip: Clip) -> tuple[float, float] | None:
        before, after = scores.score(judge, trial.edit.before), scores.score(judge, clip)
        return None if before is None or after is None else (after - before, 1.0)

    return measure


def same_voice(scores: CachedScores, trial: Trial, clip: Clip) -> tuple[float, float]:
    """Cosine of the speaker embeddings of a clip and of before."""
    return float(np.dot(scores.score("speaker", trial.edit.before), scores.score("speaker", clip))), 1.0
