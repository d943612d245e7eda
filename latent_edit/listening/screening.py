"""Whose answers are left out of the results, and why."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from latent_edit.listening.study import Study

CLOSE_POINTS, CLOSE_RATING = 15, 1  # two ratings of one cell agree when this near, of 0 to 100 and of few steps


def screen(study: Study, rows: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Participant -> reasons by which the study's screening removes them; empty for those who stay."""
    own: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        own[str(row["participant"])].append(row)
    return {participant: _reasons(study, answers) for participant, answers in own.items()}


def _reasons(study: Study, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    rules, reasons = study.screening, []
    trials = [row for row in rows if row["kind"] == "trial"]
    checks = [row for row in rows if row["kind"] == "headphones"]
    if rules.headphones_least is not None and len(checks) == 6:
        score = sum(bool(row["correct"]) for row in checks)
        if score < rules.headphones_least:
            reasons.append(f"headphones: {score} of 6 right, at least {rules.headphones_least} asked for")
    missed = sum(row["correct"] is False for row in trials if row["catch"])
    if rules.catch_missed_most is not None and missed > rules.catch_missed_most:
        reasons.append(f"catch trials: {missed} missed, at most {rules.catch_missed_most} allowed")
    agreement = repeat_agreement(rows)
    if rules.repeats_agree_least is not None and agreement is not None and agreement < rules.repeats_agree_least:
        reasons.append(f"repeats: {agreement:.0%} agree, at least {rules.repeats_agree_least:.0%} asked for")
    seconds = [row["reaction_ms"] / 1000 for row in trials if row["reaction_ms"] is not None]
    least = rules.seconds_a_trial_least
    if least is not None and seconds and statistics.median(seconds) < least:
        reasons.append(f"time: {statistics.median(seconds):.1f} s a trial, at least {least:g} s asked for")
    return reasons


def repeat_agreement(rows: Sequence[Mapping[str, Any]]) -> float | None:
    """Share of one participant's repeated cells that were answered alike, whatever the order; None without repeats."""
    by_step = {row["step"]: row for row in rows}
    agreed = [
        _alike(by_step[row["repeat_of"]], row)
        for row in rows
        if row["repeat_of"] is not None and row["repeat_of"] in by_step
    ]
    return sum(agreed) / len(agreed) if agreed else None


def _alike(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    one, two = first["response"], second["response"]
    if first["test"] == "abx":
        return bool(first["correct"] == second["correct"])
    if isinstance(one, dict):
        return statistics.mean(abs(one[name] - two[name]) for name in one) <= CLOSE_POINTS
    if first["test"] == "ccr":
        other = two if first["conditions"] == second["conditions"] else -two
        return bool(abs(one - other) <= CLOSE_RATING)
    if isinstance(one, int):
        return abs(one - two) <= CLOSE_RATING
    return bool(one == two)
