"""docs/RESULTS.md, and the same figures as data in checkpoints/evaluation.json.

Rows that were not measured this time (some need recordings, which are not in the repository) stay as they are in the
data; a row that was measured with other weights or other code than the report names is marked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latent_edit.evaluation.comparison import PAIRED, titled
from latent_edit.evaluation.controls import DEFAULT
from latent_edit.evaluation.outside_judges import PACKAGES
from latent_edit.evaluation.plan import Split
from latent_edit.evaluation.robustness import PROGRESS, SUCCESS, TRACKERS, WORDS
from latent_edit.evaluation.rows import HEADER, WRITTEN, Row, Unit
from latent_edit.evaluation.statistics import Estimate
from latent_edit.evaluation.style_success import NEW, PARAPHRASES, PRESETS
from latent_edit.files import write_text

DATA_NAME = "evaluation.json"
OUTSIDE = tuple(PACKAGES)
AXES = (PRESETS, PARAPHRASES, NEW)
ROBUSTNESS = (SUCCESS, PROGRESS, WORDS)
EACH_PRESET = ("success, each preset", "words preserved, excess WER", "voice preserved, cosine over control")
LATENTS = "latents, "  # how the rows of `evaluate --suite latents` begin
SEPARATE = ("emotions, ", "human pair, ", "acted pairs, ", LATENTS)  # how rows begin that have a section of their own
OLD = "†"  # measured with other weights or code


@dataclass(frozen=True)
class Measured:
    """A row, and the weights and the code that it was measured with: name -> hash."""

    row: Row
    hashes: Mapping[str, str]


def merge(rows: Sequence[Row], hashes: Mapping[str, str], earlier: Sequence[Measured]) -> list[Measured]:
    """This run's rows, and those of earlier runs on subjects that this one did not measure."""
    done = {row.what for row in rows}
    return [Measured(row, hashes) for row in rows] + [item for item in earlier if item.row.what not in done]


def read_data(path: Path) -> list[Measured]:
    """What an earlier run left; nothing where there was none."""
    if not path.is_file():
        return []
    content = json.loads(path.read_text(encoding="utf-8"))
    return [Measured(Row.from_dict(item["row"]), item["hashes"]) for item in content]


def write_data(path: Path, measured: Sequence[Measured]) -> None:
    """Keep the figures for the next run."""
    content: list[dict[str, Any]] = [{"row": item.row.to_dict(), "hashes": dict(item.hashes)} for item in measured]
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


class Report:
    """Tables of what was measured, against the weights and code of now."""

    def __init__(self, measured: Sequence[Measured], hashes: Mapping[str, str]) -> None:
        self.hashes = hashes
        self.items = {(item.row.what, item.row.of): item for item in measured}

    def results(self, notes: Sequence[str], about_systems: Mapping[str, str]) -> str:
        """All of docs/RESULTS.md."""
        parts = [
            "# Results",
            "Written by `python -m latent_edit evaluate`; nothing here is typed in. Every cell gives a value and its"
            " 95 % interval (bootstrap, clustered by sentence and voice), and below it the paired difference from the"
            f" default with its interval. {OLD} marks what was measured with other weights or code.",
            "\n".join(f"- {note}" for note in notes),
        ]
        splits: tuple[Split, ...] = ("test", "development")
        for split in splits:
            if any((titled(what, split), DEFAULT) in self.items for what in (*OUTSIDE, *AXES)):
                parts += self._tables(split)
        systems = "\n".join(f"- *{name}*: {about}." for name, about in about_systems.items())
        hashes = ", ".join(f"{name} `{value}`" for name, value in sorted(self.hashes.items()))
        shown = {*OUTSIDE, *AXES, *ROBUSTNESS, *EACH_PRESET}
        return "\n\n".join(
            [
                *parts,
                "## Each preset",
                self.pivot(EACH_PRESET, "preset", "development"),
                "## The voice and CLAP, against real recordings",
                self.rows([item for item in self._own() if item.row.what not in shown]),
                "## The systems",
                systems,
                "## Weights and code",
                hashes,
            ]
        )

    def headlines(self) -> str:
        """The tables of outside judges and of the axes, for the page beside the weights."""
        split: Split = "test" if (titled(PRESETS, "test"), DEFAULT) in self.items else "development"
        return "\n\n".join(self._tables(split)[:-2])

    def _tables(self, split: Split) -> list[str]:
        return [
            f"## Outside judges ({split} set): the headlines",
            "Edits by the presets that ask for a change. The prompts are training captions of the CLAP.",
            self.pivot(OUTSIDE, "system", split),
            f"## Axes ({split} set)",
            "Success by the rule at which the correction aims (`latent_edit/evaluation/effects.py`): it shows that the"
            " optimisation works, so read it beside the controls. Presets are training captions; paraphrases and new"
            " prompts are not.",
            self.pivot(AXES, "system", split),
            f"## Robustness ({split} set)",
            self.pivot(ROBUSTNESS, "the default", split) + self._trackers(split),
        ]

    def _trackers(self, split: Split) -> str:
        found = [item.row for item in self.items.values() if item.row.what == titled(TRACKERS, split)]
        return "".join(f"\n\nMean distance of the {row.of}: {self._value(row)}." for row in found)

    def pivot(self, figures: Sequence[str], corner: str, split: Split) -> str:
        """A line for each system (or other subject), a column for each figure."""
        columns = [what for what in figures if any(name == titled(what, split) for name, _ in self.items)]
        titles = [titled(what, split) for what in columns]
        lines = dict.fromkeys(of for what, of in self.items if what in titles)
        body = [[of, *(self._cell(title, of) for title in titles)] for of in lines]
        return markdown([corner, *(what.rpartition("robustness, ")[2] for what in columns)], body)

    def rows(self, items: Sequence[Measured]) -> str:
        """A line for each row, with its gate."""
        lines = []
        for item in items:
            cells = item.row.cells()
            cells[2] += self._mark(item)
            lines.append(cells)
        return markdown(HEADER, lines)

    def _own(self) -> list[Measured]:
        """Rows that are no system's and no paired difference."""
        plain = {titled(TRACKERS, "test"), TRACKERS}
        tables = {titled(what, "test") for what in (*OUTSIDE, *AXES, *ROBUSTNESS, *EACH_PRESET)}
        return [
            item
            for (what, _), item in self.items.items()
            if PAIRED not in what and what not in plain and what not in tables and not what.startswith(SEPARATE)
        ]

    def _cell(self, what: str, of: str) -> str:
        item = self.items.get((what, of))
        if item is None:
            return ""
        paired = self.items.get((what + PAIRED, of))
        below = f"<br>*{self._value(paired.row)}*" if paired else ""
        return self._value(item.row) + self._mark(item) + below

    def _mark(self, item: Measured) -> str:
        now = {name: self.hashes.get(name) for name in item.hashes}
        return "" if dict(item.hashes) == now else f" {OLD}"

    @staticmethod
    def _value(row: Row) -> str:
        return with_interval(row.estimate, row.unit)


def with_interval(found: Estimate, unit: Unit) -> str:
    """A value and its interval as a person reads them; a dash where nothing was measured."""
    write = WRITTEN[unit]
    if found.value is None:
        return "–"
    interval = "" if found.low is None or found.high is None else f" ({write(found.low)} to {write(found.high)})"
    return write(found.value) + interval


def write_section(path: Path, text: str, name: str = "evaluate") -> None:
    """Put `text` between the markers of that name in a Markdown file, at its end where it has none.

    The rest of the file stays as it is.
    """
    begin, end = (f"<!-- {name}: {edge} -->" for edge in ("begin", "end"))
    content = path.read_text(encoding="utf-8") if path.is_file() else "# Shipped weights\n"
    if begin not in content:
        content = f"{content.rstrip()}\n\n{begin}\n{end}\n"
    head, _, rest = content.partition(begin)
    _, _, tail = rest.partition(end)
    write_text(path, f"{head}{begin}\n{text.strip()}\n{end}{tail}")


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table."""
    rule = ["---"] * len(header)
    return "\n".join("| " + " | ".join(row) + " |" for row in [header, rule, *rows])
