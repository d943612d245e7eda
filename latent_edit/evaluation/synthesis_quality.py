"""How good the voice itself is: words, fidelity, naturalness, F0 range, identity, all against real recordings."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from latent_edit.data.styles import Style
from latent_edit.evaluation.cached_scores import CachedScores
from latent_edit.evaluation.clips import Clip, Recording, Resynthesis, WorldEdit
from latent_edit.evaluation.plan import Plan, plain_synthesis
from latent_edit.evaluation.rows import Goal, Row, number, percent
from latent_edit.evaluation.statistics import Estimate, Observation, estimate
from latent_edit.judges import word_errors

PEOPLE = {"sam_a": "sam", "sam_b": "sam"}  # one actor, two recorded manners


def errors(scores: CachedScores, clip: Clip, recogniser: str = "pocketsphinx") -> tuple[int, int]:
    """Words of a clip that a recogniser got wrong, and its words."""
    return word_errors(clip.text, scores.score(recogniser, clip))


def word_rows(scores: CachedScores, plan: Plan) -> list[Row]:
    """Word error rates of resynthesised recordings and of plain synthesis over those of the recordings themselves."""
    kinds: list[tuple[str, Callable[[Recording], Clip], int, int]] = [
        ("resynthesised recordings, WER over real", Resynthesis, 5, 2),
        ("resynthesised by the posterior encoder alone, WER over real", by_encoder_alone, 5, 2),
        ("plain synthesis, WER over real", plain_synthesis, 12, 5),
    ]
    rows = []
    for what, made, *limits in kinds:
        gate, aim = (Goal(f"≤ {points} points", points / 100) for points in limits)
        for voice, recordings in plan.recorded.items():
            counts = [(*errors(scores, made(r)), errors(scores, r)[0], r) for r in recordings]
            over = [Observation(wrong - real, r.text, voice, weight=words) for wrong, words, real, r in counts]
            words = sum(words for _, words, _, _ in counts) or 1
            rates = [percent(sum(own) / words) for own in ([c[0] for c in counts], [c[2] for c in counts])]
            beside = f"{rates[0]}, real {rates[1]}; {len(counts)} sentences"
            rows.append(Row(what, voice, estimate(over), "points", gate, aim, beside))
    return rows


def by_encoder_alone(recording: Recording) -> Resynthesis:
    """A resynthesis without inversion: what the posterior encoder alone makes of a recording."""
    return Resynthesis(recording, inverted=False)


def fidelity_rows(scores: CachedScores, plan: Plan) -> list[Row]:
    """Resynthesised recordings frame by frame against the originals, and WORLD's resynthesis beside them."""
    recordings = list(plan.closely)
    ours = [scores.score("fidelity", r, Resynthesis(r)) for r in recordings]
    theirs = [scores.score("fidelity", r, WorldEdit(r, Style())) for r in recordings]

    def ratio(answers: Sequence[dict[str, float]], above: str, below: str) -> Estimate:
        pairs = zip(recordings, answers, strict=True)
        return estimate([Observation(a[above], r.text, r.voice, weight=a[below]) for r, a in pairs])

    def mel(answers: Sequence[dict[str, float | None]]) -> Estimate:
        return mean(zip(recordings, (a["log_mel_l1"] for a in answers), strict=True))

    def cents(answers: Sequence[dict[str, float]]) -> Estimate:
        return _root(ratio(answers, "squared_cents", "voiced_frames"))

    def voicing(answers: Sequence[dict[str, float]]) -> Estimate:
        return ratio(answers, "voicing_errors", "speech_frames")

    what = "fidelity of resynthesised recordings"
    pitch, share = Goal("≤ 60 cents", 60), Goal("≤ 8 %", 0.08)
    world = number(mel(theirs).value), number(cents(theirs).value, 0), percent(voicing(theirs).value)
    return [
        Row(what, "log-mel L1", mel(ours), "nepers", beside=f"WORLD {world[0]}"),
        Row(what, "F0 RMSE", cents(ours), "cents", pitch, beside=f"WORLD {world[1]}"),
        Row(what, "voicing error", voicing(ours), "percent", share, beside=f"WORLD {world[2]}"),
    ]


def naturalness_rows(scores: CachedScores, plan: Plan) -> list[Row]:
    """DNSMOS of plain synthesis against that of the recording."""
    recordings = list(plan.closely)
    kinds: dict[str, Callable[[Recording], Clip]] = {
        "real": lambda r: r,
        "plain synthesis": plain_synthesis,
        "resynthesis": Resynthesis,
        "WORLD": lambda r: WorldEdit(r, Style()),
    }
    found = {kind: [scores.score("dnsmos", made(r)) for r in recordings] for kind, made in kinds.items()}
    pairs = zip(found["plain synthesis"], found["real"], strict=True)
    over = mean(zip(recordings, (None if a is None or b is None else a - b for a, b in pairs), strict=True))
    means = {kind: mean(zip(recordings, values, strict=True)).value for kind, values in found.items()}
    beside = ", ".join(f"{kind} {number(value)}" for kind, value in means.items())
    gate, aim = Goal("≥ real - 0.4", -0.4, at_least=True), Goal("≥ real - 0.15", -0.15, at_least=True)
    return [Row("naturalness (DNSMOS P.835 overall)", "plain synthesis over real", over, "mos", gate, aim, beside)]


def intonation_rows(scores: CachedScores, plan: Plan) -> list[Row]:
    """Range of F0 in plain synthesis, from its 10th to its 90th percentile, beside that of the recording."""
    recordings = list(plan.closely)
    synthesised, real = (
        [scores.measurements(clip).pitch_range_semitones for clip in clips]
        for clips in (map(plain_synthesis, recordings), recordings)
    )
    over = [None if a is None or b is None else 100 * (a - b) for a, b in zip(synthesised, real, strict=True)]
    means = [number(mean(zip(recordings, side, strict=True)).value, 1) for side in (synthesised, real)]
    beside = f"plain synthesis {means[0]} semitones, real {means[1]}"
    found = mean(zip(recordings, over, strict=True))
    return [Row("range of F0", "plain synthesis over real", found, "cents", beside=beside)]


def identity_rows(scores: CachedScores, plan: Plan) -> list[Row]:
    """Whether plain synthesis sounds like its voice: nearness to its recordings, and the nearest of all voices."""
    recordings = [r for own in plan.recorded.values() if len(own) > 1 for r in own]
    real = {r: np.array(scores.score("speaker", r)) for r in recordings}
    spoken = {r: np.array(scores.score("speaker", plain_synthesis(r))) for r in recordings}
    near = [_near(embeddings[r], r, real) for embeddings in (spoken, real) for r in recordings]
    ours, theirs = near[: len(recordings)], near[len(recordings) :]
    own = [(r, a[r.voice] - b[r.voice]) for r, a, b in zip(recordings, ours, theirs, strict=True)]
    cosines = [mean((r, n[r.voice]) for r, n in zip(recordings, side, strict=True)).value for side in (ours, theirs)]
    gate = Goal("within 0.08 of real to real", -0.08, at_least=True)
    beside = f"plain synthesis {number(cosines[0], 3)}, real to real {number(cosines[1], 3)}"
    rows = [Row("voice identity", "cosine to the voice's recordings", mean(own), "cosine", gate, beside=beside)]
    for of, people in (("nearest of all voices", {}), ("nearest person", PEOPLE)):
        named = [
            [[people.get(v, v) for v in (r.voice, _nearest(n))] for r, n in zip(recordings, side, strict=True)]
            for side in (ours, theirs)
        ]
        right = [[float(voice == taken) for voice, taken in side] for side in named]
        over = mean((r, a - b) for r, a, b in zip(recordings, *right, strict=True))
        shares = [percent(sum(side) / len(side)) if side else "–" for side in right]
        beside = f"plain synthesis {shares[0]}{_mistaken(named[0])}, real {shares[1]}{_mistaken(named[1])}"
        gate = Goal("≥ real - 3 points", -0.03, at_least=True)
        rows.append(Row("voice identity", of, over, "points", gate, beside=beside))
    return rows


def mean(items: Iterable[tuple[Clip, float | None]]) -> Estimate:
    """Mean of what was measured, with its interval."""
    return estimate([Observation(float(value), clip.text, clip.voice) for clip, value in items if value is not None])


def _near(embedding: np.ndarray, recording: Recording, real: dict[Recording, np.ndarray]) -> dict[str, float]:
    """Cosine of an embedding to the centre of each voice's recordings, that of the same sentence left out."""
    voices = dict.fromkeys(r.voice for r in real)
    centres = {v: sum(x for r, x in real.items() if r.voice == v and r.text != recording.text) for v in voices}
    return {v: float(embedding @ centre / np.linalg.norm(centre)) for v, centre in centres.items() if np.any(centre)}


def _nearest(near: dict[str, float]) -> str:
    return max(near, key=lambda name: near[name])


def _mistaken(named: Iterable[Sequence[str]]) -> str:
    """Who was taken for whom, how often, of pairs of a voice and the one that it was nearest to."""
    wrong = Counter((own, taken) for own, taken in named if own != taken)
    return f" ({', '.join(f'{n} of {own} as {taken}' for (own, taken), n in wrong.most_common())})" if wrong else ""


def _root(squares: Estimate) -> Estimate:
    values = dataclasses.asdict(squares).items()
    return Estimate(**{name: None if value is None else math.sqrt(value) for name, value in values})
