"""How good the voice itself is: words, fidelity, naturalness, identity, all against real recordings."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from latent_edit.data.styles import Style
from latent_edit.evaluation.clips import Clip, Copied, Recording, Rendered
from latent_edit.evaluation.jury import Jury
from latent_edit.evaluation.plan import Plan, said
from latent_edit.evaluation.rows import Goal, Row, number, percent
from latent_edit.evaluation.statistics import Estimate, Observation, estimate
from latent_edit.judges import word_errors

PEOPLE = {"sam_a": "sam", "sam_b": "sam"}  # one actor, two recorded manners


def errors(jury: Jury, clip: Clip) -> tuple[int, int]:
    """Words of a clip that the recogniser got wrong, and its words."""
    return word_errors(clip.text, jury.ask("heard", clip))


def word_rows(jury: Jury, plan: Plan) -> list[Row]:
    """Word error rates of copies and of plain readings over those of the recordings themselves."""
    kinds: list[tuple[str, Callable[[Recording], Clip], int, int]] = [
        ("copy-synthesis, WER over real", Copied, 5, 2),
        ("copy-synthesis by the encoder alone, WER over real", by_encoder_alone, 5, 2),
        ("text to speech, WER over real", said, 12, 5),
    ]
    rows = []
    for what, made, *limits in kinds:
        gate, aim = (Goal(f"≤ {points} points", points / 100) for points in limits)
        for voice, recordings in plan.recorded.items():
            counts = [(*errors(jury, made(r)), errors(jury, r)[0], r) for r in recordings]
            over = [Observation(wrong - real, r.text, voice, weight=words) for wrong, words, real, r in counts]
            words = sum(words for _, words, _, _ in counts) or 1
            rates = [percent(sum(own) / words) for own in ([c[0] for c in counts], [c[2] for c in counts])]
            beside = f"{rates[0]}, real {rates[1]}; {len(counts)} sentences"
            rows.append(Row(what, voice, estimate(over), "points", gate, aim, beside))
    return rows


def by_encoder_alone(recording: Recording) -> Copied:
    """A copy without the steps that bring it nearer to the recording."""
    return Copied(recording, refined=False)


def fidelity_rows(jury: Jury, plan: Plan) -> list[Row]:
    """Copy-synthesis frame by frame against the recording, and WORLD's own copy beside it."""
    recordings = list(plan.closely)
    ours = [jury.ask("fidelity", r, Copied(r)) for r in recordings]
    theirs = [jury.ask("fidelity", r, Rendered(r, Style())) for r in recordings]

    def ratio(answers: Sequence[dict[str, float]], above: str, below: str) -> Estimate:
        pairs = zip(recordings, answers, strict=True)
        return estimate([Observation(a[above], r.text, r.voice, weight=a[below]) for r, a in pairs])

    def mel(answers: Sequence[dict[str, float | None]]) -> Estimate:
        return mean(zip(recordings, (a["log_mel_l1"] for a in answers), strict=True))

    def cents(answers: Sequence[dict[str, float]]) -> Estimate:
        return _root(ratio(answers, "squared_cents", "voiced_frames"))

    def voicing(answers: Sequence[dict[str, float]]) -> Estimate:
        return ratio(answers, "voicing_errors", "speech_frames")

    what = "fidelity of copy-synthesis"
    pitch, share = Goal("≤ 60 cents", 60), Goal("≤ 8 %", 0.08)
    world = number(mel(theirs).value), number(cents(theirs).value, 0), percent(voicing(theirs).value)
    return [
        Row(what, "log-mel L1", mel(ours), "nepers", beside=f"WORLD {world[0]}"),
        Row(what, "F0 RMSE", cents(ours), "cents", pitch, beside=f"WORLD {world[1]}"),
        Row(what, "voicing error", voicing(ours), "percent", share, beside=f"WORLD {world[2]}"),
    ]


def naturalness_rows(jury: Jury, plan: Plan) -> list[Row]:
    """DNSMOS of the plain reading against the recording's."""
    recordings = list(plan.closely)
    kinds: dict[str, Callable[[Recording], Clip]] = {
        "real": lambda r: r,
        "say": said,
        "copy": Copied,
        "WORLD": lambda r: Rendered(r, Style()),
    }
    scores = {kind: [jury.ask("natural", made(r)) for r in recordings] for kind, made in kinds.items()}
    over = [None if a is None or b is None else a - b for a, b in zip(scores["say"], scores["real"], strict=True)]
    means = {kind: mean(zip(recordings, values, strict=True)).value for kind, values in scores.items()}
    beside = ", ".join(f"{kind} {number(value)}" for kind, value in means.items())
    found = mean(zip(recordings, over, strict=True))
    gate, aim = Goal("≥ real - 0.4", -0.4, at_least=True), Goal("≥ real - 0.15", -0.15, at_least=True)
    return [Row("naturalness (DNSMOS P.835 overall)", "text to speech over real", found, "mos", gate, aim, beside)]


def intonation_rows(jury: Jury, plan: Plan) -> list[Row]:
    """How far F0 moves in the plain reading, from its 10th to its 90th percentile, beside the recording."""
    recordings = list(plan.closely)
    read, real = (
        [jury.measured(clip).pitch_range_semitones for clip in clips] for clips in (map(said, recordings), recordings)
    )
    over = [None if a is None or b is None else 100 * (a - b) for a, b in zip(read, real, strict=True)]
    means = [number(mean(zip(recordings, side, strict=True)).value, 1) for side in (read, real)]
    beside = f"text to speech {means[0]} semitones, real {means[1]}"
    return [
        Row("range of F0", "text to speech over real", mean(zip(recordings, over, strict=True)), "cents", beside=beside)
    ]


def identity_rows(jury: Jury, plan: Plan) -> list[Row]:
    """Whether a plain reading sounds like its voice: nearness to its recordings, and the nearest of all voices."""
    recordings = [r for own in plan.recorded.values() if len(own) > 1 for r in own]
    real = {r: np.array(jury.ask("speaker", r)) for r in recordings}
    spoken = {r: np.array(jury.ask("speaker", said(r))) for r in recordings}
    near = [_near(heard[r], r, real) for heard in (spoken, real) for r in recordings]
    ours, theirs = near[: len(recordings)], near[len(recordings) :]
    own = [(r, a[r.voice] - b[r.voice]) for r, a, b in zip(recordings, ours, theirs, strict=True)]
    cosines = [mean((r, n[r.voice]) for r, n in zip(recordings, side, strict=True)).value for side in (ours, theirs)]
    gate = Goal("within 0.08 of real to real", -0.08, at_least=True)
    beside = f"say {number(cosines[0], 3)}, real to real {number(cosines[1], 3)}"
    rows = [Row("voice identity", "cosine to the voice's recordings", mean(own), "cosine", gate, beside=beside)]
    for of, people in (("nearest of all voices", {}), ("nearest person", PEOPLE)):
        named = [
            [[people.get(v, v) for v in (r.voice, _nearest(n))] for r, n in zip(recordings, side, strict=True)]
            for side in (ours, theirs)
        ]
        right = [[float(voice == taken) for voice, taken in side] for side in named]
        over = mean((r, a - b) for r, a, b in zip(recordings, *right, strict=True))
        shares = [percent(sum(side) / len(side)) if side else "–" for side in right]
        beside = f"say {shares[0]}{_mistaken(named[0])}, real {shares[1]}{_mistaken(named[1])}"
        gate = Goal("≥ real - 3 points", -0.03, at_least=True)
        rows.append(Row("voice identity", of, over, "points", gate, beside=beside))
    return rows


def mean(items: Iterable[tuple[Clip, float | None]]) -> Estimate:
    """Mean of what was measured, with its interval."""
    return estimate([Observation(float(value), clip.text, clip.voice) for clip, value in items if value is not None])


def _near(heard: np.ndarray, recording: Recording, real: dict[Recording, np.ndarray]) -> dict[str, float]:
    """Cosine of an embedding to the centre of each voice's recordings, that of the same sentence left out."""
    voices = dict.fromkeys(r.voice for r in real)
    centres = {v: sum(x for r, x in real.items() if r.voice == v and r.text != recording.text) for v in voices}
    return {v: float(heard @ centre / np.linalg.norm(centre)) for v, centre in centres.items() if np.any(centre)}


def _nearest(near: dict[str, float]) -> str:
    return max(near, key=lambda name: near[name])


def _mistaken(named: Iterable[Sequence[str]]) -> str:
    """Who was taken for whom, how often, of pairs of a voice and the one that it was nearest to."""
    wrong = Counter((own, taken) for own, taken in named if own != taken)
    return f" ({', '.join(f'{n} of {own} as {taken}' for (own, taken), n in wrong.most_common())})" if wrong else ""


def _root(squares: Estimate) -> Estimate:
    values = dataclasses.asdict(squares).items()
    return Estimate(**{name: None if value is None else math.sqrt(value) for name, value in values})
