"""The report of a study: report.md with figures, and its tables as CSV."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from latent_edit.errors import InputError
from latent_edit.files import write_text
from latent_edit.listening.export import as_csv, read_rows
from latent_edit.listening.results import NULLS, UNITS, BlockResult, block_result, counted
from latent_edit.listening.screening import repeat_agreement, screen
from latent_edit.listening.statistics import CONFIDENCE, Estimate
from latent_edit.listening.study import Study

REPORT_NAME = "report.md"
METHODS = f"""## How this was computed

Intervals cover {CONFIDENCE:.0%} and come from resampling participants and items, scaled to two-way clustered variance
(Cameron, Gelbach and Miller 2011). Shares are tested by flipping the signs of participants' mean differences, ratings
by Wilcoxon's signed ranks of participants' means, several conditions by Friedman's test; p-values are corrected by Holm
within a block. "Needed" is how many participants a paired t-test would take to find an effect of the observed size with
a power of 80 % at 5 %: a size that is itself uncertain. Training, catch trials and repeats count for screening alone.
"""


def write_report(study: Study, source: Path, out: Path) -> Path:
    """Write report.md, PNG figures and CSV tables into `out`; returned is the report. Raises InputError."""
    rows = read_rows(source)
    others = {row["config_hash"] for row in rows} - {study.config_hash}
    if others:
        raise InputError(f"{source} holds answers to another version of study {study.id}; give the study file of then")
    removed = screen(study, rows)
    kept = counted(rows, removed)
    results = [found for block in study.blocks if (found := block_result(study, block, kept))]
    out.mkdir(parents=True, exist_ok=True)
    people = _participants(rows, removed)
    stay = sum(not reasons for reasons in removed.values())
    parts = [
        f"# {study.title}\n\nStudy `{study.id}`, version `{study.config_hash[:12]}`: {len(removed)} participants, "
        f"{stay} after screening, {len(kept)} answers counted.\n",
        "## Screening\n\n" + _table([{k: row[k] for k in ("participant", "trials", "headphones", "catch missed",
                                                         "repeats agree", "removed for")} for row in people]),
    ]  # fmt: skip
    for result in results:
        name = f"{result.block.id}.png"
        _figure(result, out / name)
        parts.append(_section(study, result, name))
    write_text(out / "participants.csv", as_csv(people))
    write_text(out / "conditions.csv", as_csv([row for result in results for row in _means(result)]))
    write_text(out / "comparisons.csv", as_csv([row for result in results for row in _comparisons(result)]))
    write_text(out / "answers.csv", as_csv(rows))
    write_text(out / REPORT_NAME, "\n".join([*parts, METHODS]))
    return out / REPORT_NAME


def _participants(rows: Sequence[Mapping[str, Any]], removed: Mapping[str, list[str]]) -> list[dict[str, Any]]:
    people = []
    for number, (participant, reasons) in enumerate(removed.items(), start=1):
        own = [row for row in rows if row["participant"] == participant]
        trials = [row for row in own if row["kind"] == "trial"]
        checks = [row for row in own if row["kind"] == "headphones"]
        shares = [
            heard / seconds
            for row in trials
            for heard, seconds in zip(row["listened_seconds"], row["clip_seconds"], strict=True)
            if seconds
        ]
        people.append(
            {
                "participant": number,
                "id": participant,
                "trials": len(trials),
                "headphones": sum(bool(row["correct"]) for row in checks) if checks else None,
                "catch missed": sum(row["correct"] is False for row in trials if row["catch"]),
                "repeats agree": _rounded(repeat_agreement(own)),
                "listened share": _rounded(sum(shares) / len(shares) if shares else None),
                "removed for": "; ".join(reasons),
            }
        )
    return people


def _section(study: Study, result: BlockResult, figure: str) -> str:
    block = result.block
    words = [f"## {block.id}\n\n{block.test}, {UNITS[block.test]}; {result.answers} answers. "
             f"Asked: {block.question or block.asked(study.all_items()[0])}\n"]  # fmt: skip
    if result.means:
        words += [f"![Means and intervals]({figure})\n", _table(_means(result, short=True))]
    if result.comparisons:
        words.append(_table(_comparisons(result, short=True)))
    told = {
        "Krippendorff's alpha": result.alpha, "Friedman's test, p": result.friedman, "Share of ties": result.ties,
        "Chance": 1 / len(block.options) if block.options else None,
    }  # fmt: skip
    words += [f"{name}: {value:.3f}\n" for name, value in told.items() if value is not None]
    if result.strengths:
        rows = [
            {"condition": name, "log strength": value, "low": low, "high": high}
            for name, (value, low, high) in result.strengths.items()
        ]
        words.append("Bradley-Terry:\n\n" + _table(rows))
    if result.confusion:
        words.append("Intended (rows) and given (columns):\n\n" + _table(
            [{"intended": meant, **given} for meant, given in result.confusion.items()]))  # fmt: skip
    return "\n".join(words)


def _means(result: BlockResult, short: bool = False) -> list[dict[str, Any]]:
    head = {} if short else {"block": result.block.id, "test": result.block.test}
    return [{**head, "condition": name, **_numbers(mean)} for name, mean in result.means.items()]


def _numbers(mean: Estimate) -> dict[str, Any]:
    return {"mean": mean.value, "low": mean.low, "high": mean.high, "participants": mean.participants,
            "items": mean.items, "answers": mean.answers}  # fmt: skip


def _comparisons(result: BlockResult, short: bool = False) -> list[dict[str, Any]]:
    head = {} if short else {"block": result.block.id}
    return [
        {**head, "second": c.second, "first": c.first, "difference": c.difference, "test": c.test, "p": c.p,
         "p (Holm)": c.p_holm, "participants": c.participants, "needed": c.needed}
        for c in result.comparisons
    ]  # fmt: skip


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    """A Markdown table; nothing that participants typed is in one."""
    if not rows:
        return ""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *([_shown(value) for value in row.values()] for row in rows)]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}" if math.isfinite(value) else "–"
    return "–" if value is None else str(value)


def _figure(result: BlockResult, path: Path) -> None:
    """Means with their intervals, one under the other; the value without any difference as a line."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if not result.means:
        return
    figure = Figure(figsize=(7, 1.2 + 0.45 * len(result.means)), layout="constrained")
    axes = figure.subplots()
    for place, mean in enumerate(result.means.values()):
        if mean.low is not None and mean.high is not None:
            axes.plot([mean.low, mean.high], [place, place], color="#0b6a70", linewidth=2)
        axes.plot([mean.value], [place], "o", color="#ad3a1c")
    if result.block.test in NULLS:
        axes.axvline(NULLS[result.block.test], color="#8a8778", linewidth=1, linestyle="--")
    axes.set_yticks(range(len(result.means)), list(result.means))
    axes.set_ylim(len(result.means) - 0.5, -0.5)
    axes.set_xlabel(UNITS[result.block.test])
    FigureCanvasAgg(figure).print_png(path)
