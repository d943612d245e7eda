"""The report in checkpoints/README.md, and the same figures as data beside it.

Rows that were not measured this time (some need real recordings, which are not in the repository) are kept from the
data and marked with the weights and code that they belong to.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from latent_edit.config import preset_prompts
from latent_edit.evaluation.cached_scores import CachedScores
from latent_edit.evaluation.plan import Plan
from latent_edit.evaluation.preservation import changes, word_error_rates
from latent_edit.evaluation.rows import HEADER, Row
from latent_edit.files import write_text

BEGIN, END = "<!-- evaluate: begin -->", "<!-- evaluate: end -->"
DATA_NAME = "evaluation.json"

# How each attribute is headed and written; the keys are fields of `Measurements`.
COLUMNS = {
    "pitch_hz": ("pitch Hz", "{:.0f}"),
    "pitch_range_semitones": ("range st", "{:.1f}"),
    "duration_seconds": ("length s", "{:.2f}"),
    "level_db": ("level dB", "{:.1f}"),
    "tilt_db": ("tilt dB", "{:.1f}"),
    "voiced_share": ("voiced", "{:.2f}"),
    "harmonicity_db": ("HNR dB", "{:.1f}"),
    "tremor_semitones": ("tremor st", "{:.2f}"),
}


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


def section(measured: Sequence[Measured], hashes: Mapping[str, str], notes: Sequence[str], attributes: str) -> str:
    """The whole section: weights, notes, gates, details, attributes."""
    weights = "\n".join(f"- {name}: `{value}`" for name, value in sorted(hashes.items()))
    gated = [item for item in measured if item.row.gate is not None]
    others = [item for item in measured if item.row.gate is None]
    held = sum(item.row.gate.met(item.row.estimate) is True for item in gated if item.row.gate)
    return "\n\n".join(
        [
            "Judged were these weights in this code (hashes of their content):",
            weights,
            "\n".join(f"- {note}" for note in notes),
            f"### Gates: {held} of {len(gated)} hold",
            _table(gated, hashes),
            "### Details, without a gate",
            _table(others, hashes),
            "### Attributes: means over the sentences, before → after",
            "“–” was not measured (no voiced frames).",
            attributes,
        ]
    )


def attribute_table(scores: CachedScores, plan: Plan) -> str:
    """A row for each preset and voice: word error rate and every attribute, before and after."""
    rows = []
    for prompt in preset_prompts():
        items = list(changes(scores, plan, prompt))
        for voice in plan.voices:
            own = [(before, after) for name, before, after in items if name == voice]
            rates = word_error_rates(scores, plan, prompt, voice)
            rows.append([prompt, voice, rates, *(_change(own, name) for name in COLUMNS)])
    return _markdown(["prompt", "voice", "WER %", *(heading for heading, _ in COLUMNS.values())], rows)


def write_section(path: Path, text: str) -> None:
    """Put `text` between the markers of a Markdown file; the rest of it stays as it is."""
    content = path.read_text(encoding="utf-8") if path.is_file() else f"# Shipped weights\n\n{BEGIN}\n{END}\n"
    head, _, rest = content.partition(BEGIN)
    _, _, tail = rest.partition(END)
    write_text(path, f"{head}{BEGIN}\n{text.strip()}\n{END}{tail}")


def _table(measured: Sequence[Measured], hashes: Mapping[str, str]) -> str:
    rows = []
    for item in measured:
        cells = item.row.cells()
        old = [f"{name} `{value[:8]}`" for name, value in sorted(item.hashes.items()) if hashes.get(name) != value]
        if old:
            cells[-1] = "; ".join(filter(None, [cells[-1], f"measured earlier, with {', '.join(old)}"]))
        rows.append(cells)
    return _markdown(HEADER, rows)


def _change(sides: Sequence[tuple[Mapping[str, float | None], Mapping[str, float | None]]], name: str) -> str:
    write: Callable[[float], str] = COLUMNS[name][1].format
    values = ([m for side in sides if (m := side[place][name]) is not None] for place in (0, 1))
    return " → ".join(write(float(np.mean(own))) if own else "–" for own in values)


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---"] * len(header)
    return "\n".join("| " + " | ".join(row) + " |" for row in [header, rule, *rows])
