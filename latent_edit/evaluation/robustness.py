"""Whether results hold elsewhere: at other guidance scales, in each voice, by another F0 tracker."""

from __future__ import annotations

import math
from collections.abc import Sequence

from latent_edit import judges
from latent_edit.evaluation.cached_scores import CachedScores
from latent_edit.evaluation.comparison import titled
from latent_edit.evaluation.effects import judged_styles, mean_progress
from latent_edit.evaluation.outside_judges import PACKAGES, words_lost
from latent_edit.evaluation.plan import GUIDANCE, Plan, Trial, presets
from latent_edit.evaluation.rows import Row
from latent_edit.evaluation.statistics import Observation, estimate
from latent_edit.evaluation.style_success import success_of
from latent_edit.evaluation.synthesis_quality import mean

SUCCESS, PROGRESS, WORDS = "robustness, success", "robustness, progress", "robustness, words lost (Moonshine)"
TRACKERS = "robustness, F0 trackers"


def robustness_rows(scores: CachedScores, plan: Plan) -> list[Row]:
    """Success, progress towards the reference effects, and words lost: at each guidance scale and in each voice."""
    rows = []
    for guidance in GUIDANCE:
        trials = plan.trials(presets(), plan.sizes.guidance, guidance=guidance)
        rows += _rows(scores, plan, f"guidance {guidance:g}", trials)
    for voice in plan.voices:
        rows += _rows(scores, plan, f"voice {voice}", [trial for trial in plan.presets if trial.edit.voice == voice])
    return [*rows, *_tracker_rows(scores, plan)]


def _rows(scores: CachedScores, plan: Plan, of: str, trials: Sequence[Trial]) -> list[Row]:
    measured = [(t, scores.measurements(t.edit.before), scores.measurements(t.edit)) for t in trials]
    progress = mean((t.edit, mean_progress(t.rule, before, after)) for t, before, after in measured)
    rows = [
        Row(titled(SUCCESS, plan.split), of, success_of(scores, trials), "percent"),
        Row(titled(PROGRESS, plan.split), of, progress, "times"),
    ]
    if judges.installed(PACKAGES["words lost (Moonshine)"]):
        lost = [(t, words_lost("moonshine")(scores, t, t.edit)) for t in trials]
        observations = [Observation(value, t.edit.text, t.edit.voice, weight) for t, (value, weight) in lost]
        rows.append(Row(titled(WORDS, plan.split), of, estimate(observations), "points"))
    return rows


def _tracker_rows(scores: CachedScores, plan: Plan) -> list[Row]:
    """How far the change of the median F0 by SwiftF0 is from that by Praat, which the axes are measured with."""
    if not judges.installed(judges.F0_TRACKER):
        return []
    apart = []
    for trial in plan.presets:
        if judged_styles()[trial.rule].is_whisper:
            continue
        praat = [scores.measurements(clip).pitch_hz for clip in (trial.edit.before, trial.edit)]
        swift = [scores.score("median_f0", clip) for clip in (trial.edit.before, trial.edit)]
        changes = [12 * math.log2(after / before) for before, after in (praat, swift) if before and after]
        apart.append((trial.edit, abs(changes[0] - changes[1]) if len(changes) == 2 else None))
    of = "change of the median F0, SwiftF0 against Praat"
    return [Row(titled(TRACKERS, plan.split), of, mean(apart), "semitones")]
