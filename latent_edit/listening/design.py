"""What each participant hears, and in which order: planned once, balanced over all, the same after every return.

Cells are given out least-filled first, so that at any time no cell of a block was given out more than once more often
than another; or by Latin square, in which each participant hears an item once and over as many participants as there
are conditions every item is heard under each.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from latent_edit.config import StrictModel
from latent_edit.listening.study import PAIRED, Block, Catch, Example, Study

HEADPHONE_TRIALS = 6
Kind = Literal["consent", "volume", "headphones", "questionnaire", "instructions", "trial"]
Cell = tuple[str, int]  # block, place among its cells
Counts = Mapping[Cell, int]


class Step(StrictModel):
    """One screen. conditions: of each clip, in presented order; a reference comes first, X of abx last.

    cell: the number among the cells of the block; None for training and catch trials. repeat_of: the step whose cell is
    asked again. quietest: which of the three tones of a headphone trial is (0 to 2).
    """

    kind: Kind
    block: str = ""
    item: str = ""
    conditions: tuple[str, ...] = ()
    cell: int | None = None
    repeat_of: int | None = None
    training: bool = False
    catch: Catch | None = None
    quietest: int | None = None


class ParticipantPlan(StrictModel):
    """Everything that one participant is shown. seed: what its order was drawn with."""

    seed: int
    steps: tuple[Step, ...]

    def cells(self) -> list[Cell]:
        """Cells that this participant fills; repeats fill nothing."""
        return [(s.block, s.cell) for s in self.steps if s.cell is not None and s.repeat_of is None]


class _Trial(NamedTuple):
    step: Step
    original: int | None = None  # place of the trial that this one repeats


def make_participant_plan(study: Study, number: int, counts: Counts) -> ParticipantPlan:
    """The plan of participant `number` (from 0) when `counts` of each cell have been given out."""
    seed = study.seed * 1_000_003 + number
    draw = random.Random(seed)
    steps = [Step(kind="consent"), Step(kind="volume")]
    if study.headphone_check:
        quietest = [place % 3 for place in range(HEADPHONE_TRIALS)]
        draw.shuffle(quietest)
        steps += [Step(kind="headphones", quietest=place) for place in quietest]
    if study.questionnaire:
        steps.append(Step(kind="questionnaire"))
    for block in study.blocks:
        steps.append(Step(kind="instructions", block=block.id))
        steps += [_shown(block, example, draw, training=True) for example in block.training]
        trials = _trials(study, block, counts, draw)
        first = len(steps)
        steps += [
            trial.step
            if trial.original is None
            else trial.step.model_copy(update={"repeat_of": first + trial.original})
            for trial in trials
        ]
    return ParticipantPlan(seed=seed, steps=tuple(steps))


def participants_needed(study: Study) -> int:
    """How many complete sets fill every cell with the listeners that its block asks for."""
    needed = [math.ceil(b.listeners * len(study.cells(b)) / _trials_of(study, b)) for b in study.blocks]
    return max(needed)


def _trials_of(study: Study, block: Block) -> int:
    if block.design == "latin_square":
        items = len(block.items or study.all_items())
        return min(block.trials or items, items)
    return block.trials or len(study.cells(block))


def _trials(study: Study, block: Block, counts: Counts, draw: random.Random) -> list[_Trial]:
    """Cells in drawn order, no item twice in a row where it can be helped, with repeats and catch trials among them."""
    cells = study.cells(block)
    wanted = _trials_of(study, block)
    filled = [counts.get((block.id, place), 0) for place in range(len(cells))]
    choose = _latin_row if block.design == "latin_square" else _least_filled
    chosen = _apart(choose(block, cells, filled, wanted, draw), cells, draw)
    order = {place: filled[place] % 2 == 1 for place in chosen}
    originals = [_cell_step(block, cells, place, order[place], draw) for place in chosen]
    trials = [_Trial(step) for step in originals]
    early = range(max(1, len(chosen) // 2))
    for again in draw.sample(early, min(block.repeats, len(early))):
        step = _cell_step(block, cells, chosen[again], not order[chosen[again]], draw)
        trials.insert(draw.randint(max(again + 1, len(originals) // 2), len(trials)), _Trial(step, again))
    for catch in block.catch:
        at = draw.randint(min(1, len(trials)), len(trials))
        trials.insert(at, _Trial(_shown(block, catch, draw)))
    return _with_places(trials, originals)


def _with_places(trials: list[_Trial], originals: Sequence[Step]) -> list[_Trial]:
    """Repeats point at the place where their original has come to stand."""
    where = {id(trial.step): place for place, trial in enumerate(trials)}
    return [t if t.original is None else t._replace(original=where[id(originals[t.original])]) for t in trials]


def _least_filled(
    block: Block,  # noqa: ARG001  (the same call as `_latin_row`)
    cells: Sequence[tuple[str, tuple[str, ...]]],
    filled: Sequence[int],
    wanted: int,
    draw: random.Random,
) -> list[int]:
    """Places of `wanted` cells: the emptiest; among equals the item, then the conditions, heard least so far."""
    items: Counter[str] = Counter()
    conditions: Counter[tuple[str, ...]] = Counter()
    rest, chosen = {place: draw.random() for place in range(len(cells))}, []
    for _ in range(wanted):
        best = min(rest, key=lambda p: (filled[p], items[cells[p][0]], conditions[cells[p][1]], rest[p]))
        del rest[best]
        items[cells[best][0]] += 1
        conditions[cells[best][1]] += 1
        chosen.append(best)
    return chosen


def _latin_row(
    block: Block,
    cells: Sequence[tuple[str, tuple[str, ...]]],
    filled: Sequence[int],
    wanted: int,
    draw: random.Random,
) -> list[int]:
    """Places of the emptiest row: a sub-set of `wanted` items, item i under condition i + row."""
    width = len(block.combinations())
    items = len(cells) // width
    subsets = [range(first, min(first + wanted, items)) for first in range(0, items, wanted)]
    rows: list[list[int]] = [
        [item * width + (item + shift) % width for item in s] for s in subsets for shift in range(width)
    ]
    return min(rows, key=lambda row: (sum(filled[place] for place in row) / len(row), draw.random()))


def _apart(chosen: list[int], cells: Sequence[tuple[str, tuple[str, ...]]], draw: random.Random) -> list[int]:
    """The chosen in drawn order, each time an item with the most trials left, but not the one just heard."""
    draw.shuffle(chosen)
    waiting: dict[str, list[int]] = {}
    for place in chosen:
        waiting.setdefault(cells[place][0], []).append(place)
    ordered: list[int] = []
    last = ""
    while waiting:
        candidates = [item for item in waiting if item != last] or list(waiting)
        most = max(len(waiting[item]) for item in candidates)
        last = draw.choice([item for item in candidates if len(waiting[item]) == most])
        ordered.append(waiting[last].pop())
        if not waiting[last]:
            del waiting[last]
    return ordered


def _cell_step(
    block: Block, cells: Sequence[tuple[str, tuple[str, ...]]], place: int, swapped: bool, draw: random.Random
) -> Step:
    item, shown = cells[place]
    return Step(kind="trial", block=block.id, item=item, conditions=_presented(block, shown, swapped, draw), cell=place)


def _shown(block: Block, example: Example, draw: random.Random, training: bool = False) -> Step:
    conditions = _presented(block, example.conditions, draw.random() < 0.5, draw)
    catch = example if isinstance(example, Catch) else None
    return Step(
        kind="trial", block=block.id, item=example.item, conditions=conditions, training=training, catch=catch
    )  # fmt: skip


def _presented(block: Block, shown: tuple[str, ...], swapped: bool, draw: random.Random) -> tuple[str, ...]:
    """Canonical conditions in the order of the clips: pairs in both orders alike, side by side in drawn order."""
    if block.test in PAIRED:
        first, second = shown[1::-1] if swapped else shown[:2]
        return (first, second, draw.choice((first, second))) if block.test == "abx" else (first, second)
    head = 1 if block.reference else 0
    rest = list(shown[head:])
    draw.shuffle(rest)
    return (*shown[:head], *rest)
