"""What the answers of a study say: an estimate of every condition and a test of every pair, block by block."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from latent_edit.listening import statistics
from latent_edit.listening.statistics import Estimate
from latent_edit.listening.study import PAIRED, SIDE_BY_SIDE, Block, Study

Row = Mapping[str, Any]
RATED = ("mos", "smos", "emos", *SIDE_BY_SIDE)
UNITS = {
    "ab": "share of preferences, ties half", "abx": "share right", "ccr": "rating, -3 to 3", "mos": "rating, 1 to 5",
    "smos": "rating, 1 to 5", "emos": "rating, 1 to 5", "identify": "share right", "transcribe": "word error rate",
    "mushra": "rating, 0 to 100", "multi": "rating, 0 to 100",
}  # fmt: skip
NULLS = {"ab": 0.5, "abx": 0.5, "ccr": 0.0}  # what a pair would get without any difference


@dataclass(frozen=True)
class Comparison:
    """second against first: the mean difference over participants, its p-value and the one corrected by Holm.

    needed: participants with whom an effect of this size is found with a power of 80 %; None without an effect.
    """

    first: str
    second: str
    difference: float
    test: str
    p: float | None
    p_holm: float | None
    participants: int
    needed: int | None


@dataclass(frozen=True)
class BlockResult:
    """means: by condition, or by "first > second" of pairs. strengths: Bradley-Terry, by condition: value, low, high.

    confusion: intended word -> given word -> answers. ties: share of answers. None: not measured.
    """

    block: Block
    answers: int
    means: dict[str, Estimate]
    comparisons: list[Comparison]
    alpha: float | None
    friedman: float | None = None
    ties: float | None = None
    strengths: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    confusion: dict[str, dict[str, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Value:
    participant: str
    item: str
    condition: str
    value: float


def counted(rows: Sequence[Row], removed: Mapping[str, Sequence[str]]) -> list[Row]:
    """Answers that results rest on: trials of those who stay, without training, catch trials and repeats."""
    return [
        row
        for row in rows
        if row["kind"] == "trial" and not removed.get(row["participant"])
        and not (row["training"] or row["catch"] or row["repeat_of"] is not None)
    ]  # fmt: skip


def block_result(study: Study, block: Block, rows: Sequence[Row]) -> BlockResult | None:
    """Results of one block from counted answers; None without any."""
    own = [row for row in rows if row["block"] == block.id]
    if not own:
        return None
    return _paired(block, own) if block.test in PAIRED else _by_condition(study, block, own)


def _by_condition(study: Study, block: Block, rows: Sequence[Row]) -> BlockResult:
    """Ratings, right words and word errors: values of single clips."""
    values = [value for row in rows for value in _values(study, block, row)]
    if not values:
        return BlockResult(block, len(rows), {}, [], None, confusion=_confusion(study, block, rows))
    names = list(dict.fromkeys(name for name in (*block.conditions, block.reference, *block.anchors) if name))
    names = [name for name in names if any(value.condition == name for value in values)]
    means = {name: _estimate([v for v in values if v.condition == name]) for name in names}
    people = {name: _people([v for v in values if v.condition == name]) for name in names}
    rated = block.test in RATED
    pairs = list(itertools.combinations(names, 2))
    complete = [person for person in people[names[0]] if all(person in people[name] for name in names)]
    table = np.array([[people[name][person] for name in names] for person in complete])
    return BlockResult(
        block,
        len(rows),
        means,
        _compare(pairs, lambda a, b: _differences(people[a], people[b]), rated),
        _alpha(values, "interval" if block.test in SIDE_BY_SIDE else "ordinal") if rated else None,
        friedman=statistics.friedman_p(table) if rated and len(table) else None,
        confusion=_confusion(study, block, rows),
    )


def _values(study: Study, block: Block, row: Row) -> list[_Value]:
    """What one answer says of each of its clips."""
    person, item, kept, heard = row["participant"], row["item"], row["response"], row["conditions"]
    if isinstance(kept, dict):
        return [_Value(person, item, name, float(value)) for name, value in kept.items()]
    if block.test == "identify":
        intended = intended_word(study, block, item)
        return [] if intended is None else [_Value(person, item, heard[-1], float(kept == intended))]
    if block.test == "transcribe":
        wrong, words = statistics.word_errors(study.item(item).text, kept)
        return [_Value(person, item, heard[-1], wrong / words)] if words else []
    return [_Value(person, item, heard[-1], float(kept))]


def intended_word(study: Study, block: Block, item: str) -> str | None:
    """The option that an item stands for: as `answers` says, else its prompt where that is an option."""
    prompt = study.item(item).prompt
    return block.answers.get(item, prompt if prompt in block.options else None)


def _confusion(study: Study, block: Block, rows: Sequence[Row]) -> dict[str, dict[str, int]]:
    table: dict[str, dict[str, int]] = {}
    if block.test == "identify":
        for row in rows:
            meant = intended_word(study, block, row["item"]) or study.item(row["item"]).prompt or row["item"]
            line = table.setdefault(meant, dict.fromkeys(block.options, 0))
            line[row["response"]] += 1
    return table


def _paired(block: Block, rows: Sequence[Row]) -> BlockResult:
    """ab, abx and ccr: one value of each answer, which speaks for the second of a pair in canonical order."""
    pairs = block.combinations()
    values = [_pair_value(block, row) for row in rows]
    found = {pair: [v for v in values if v.condition == _pair_name(pair)] for pair in pairs}
    found = {pair: own for pair, own in found.items() if own}
    null = NULLS[block.test]
    people = {pair: np.array(list(_people(own).values())) - null for pair, own in found.items()}
    return BlockResult(
        block,
        len(rows),
        {_pair_name(pair): _estimate(own) for pair, own in found.items()},
        _compare([(a, b) for a, b in found], lambda a, b: people[a, b], block.test == "ccr"),
        _alpha(values, "ordinal" if block.test == "ccr" else "nominal") if block.test != "abx" else None,
        ties=float(np.mean([row["response"] == "tie" for row in rows])) if block.test == "ab" else None,
        strengths=_strengths(block, rows) if block.test == "ab" and len(block.conditions) > 2 else {},
    )


def _pair_name(pair: Sequence[str]) -> str:
    return f"{pair[1]} > {pair[0]}"


def _pair_value(block: Block, row: Row) -> _Value:
    shown = tuple(row["conditions"][:2])
    pair = next(pair for pair in block.combinations() if set(pair) == set(shown))
    kept = row["response"]
    if block.test == "abx":
        value = float(row["correct"])
    elif block.test == "ccr":
        value = float(kept if shown == tuple(pair) else -kept)
    else:
        value = 0.5 if kept == "tie" else float(kept == pair[1])
    return _Value(row["participant"], row["item"], _pair_name(pair), value)


def _strengths(block: Block, rows: Sequence[Row]) -> dict[str, tuple[float, float, float]]:
    """Bradley-Terry log strengths with intervals over participants."""
    names = list(block.conditions)
    wins: dict[str, np.ndarray] = {}
    for row in rows:
        own = wins.setdefault(row["participant"], np.zeros((len(names), len(names))))
        first, second = (names.index(name) for name in row["conditions"])
        share = 0.5 if row["response"] == "tie" else float(row["response"] == names[first])
        own[first, second] += share
        own[second, first] += 1 - share
    columns = zip(*statistics.bradley_terry_intervals(wins), strict=True)
    return {name: (float(v), float(low), float(high)) for name, (v, low, high) in zip(names, columns, strict=True)}


def _estimate(values: Sequence[_Value]) -> Estimate:
    numbers = np.array([v.value for v in values])
    return statistics.clustered_mean(numbers, [v.participant for v in values], [v.item for v in values])


def _people(values: Sequence[_Value]) -> dict[str, float]:
    return statistics.by_participant(np.array([v.value for v in values]), [v.participant for v in values])


def _differences(first: Mapping[str, float], second: Mapping[str, float]) -> np.ndarray:
    """second - first of every participant who heard both."""
    return np.array([second[person] - first[person] for person in first if person in second])


def _compare(
    pairs: Sequence[tuple[str, str]], differences: Callable[[str, str], np.ndarray], ranked: bool
) -> list[Comparison]:
    """Every pair by participants' mean differences: signed ranks of ratings, sign flips of shares; Holm over all."""
    found = [(pair, differences(*pair)) for pair in pairs]
    found = [(pair, values) for pair, values in found if values.size]
    tests = [statistics.wilcoxon_p(values) if ranked else statistics.sign_flip(values) for _, values in found]
    corrected = iter(statistics.holm([p for p in tests if p is not None]))
    return [
        Comparison(
            *pair,
            difference=float(values.mean()),
            test="Wilcoxon" if ranked else "sign flip",
            p=p,
            p_holm=None if p is None else next(corrected),
            participants=len(values),
            needed=statistics.participants_for_power(values),
        )
        for (pair, values), p in zip(found, tests, strict=True)
    ]


def _alpha(values: Sequence[_Value], level: statistics.Level) -> float | None:
    """Krippendorff's alpha of participants over what they judged (item under condition)."""
    people = {name: row for row, name in enumerate(dict.fromkeys(v.participant for v in values))}
    units = {name: column for column, name in enumerate(dict.fromkeys((v.item, v.condition) for v in values))}
    table = np.full((len(people), len(units)), np.nan)
    for value in values:
        table[people[value.participant], units[value.item, value.condition]] = value.value
    return statistics.krippendorff_alpha(table, level)
