"""The suite of the embedded weights: every row of the report by one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from latent_edit.axes import AXES
from latent_edit.data.styles import Style, style_of
from latent_edit.evaluation import report
from latent_edit.evaluation.cached_scores import CachedScores, ScoreList
from latent_edit.evaluation.clips import editor_code
from latent_edit.evaluation.controls import method_rows
from latent_edit.evaluation.effects import judged_styles
from latent_edit.evaluation.plan import Plan, SampleSizes, make_plan
from latent_edit.evaluation.preservation import shout_rows, voice_rows, words_rows
from latent_edit.evaluation.retrieval import caption_rows, retrieval_rows
from latent_edit.evaluation.rows import Row
from latent_edit.evaluation.style_success import control_rows, guidance_rows, success_rows
from latent_edit.evaluation.synthesis_quality import (
    fidelity_rows,
    identity_rows,
    intonation_rows,
    naturalness_rows,
    word_rows,
)
from latent_edit.prompts.lexicon import MAXIMA, MINIMA
from latent_edit.versions import environment

if TYPE_CHECKING:
    from latent_edit.editor import LatentEditor
    from latent_edit.models.clap import StyleEncoder

METHOD = "i2sb"
ON_RECORDINGS = (
    word_rows,
    fidelity_rows,
    naturalness_rows,
    intonation_rows,
    identity_rows,
    words_rows,
    voice_rows,
    retrieval_rows,
)
ON_TEXT = (shout_rows, caption_rows, success_rows, control_rows, guidance_rows, method_rows)
VERSIONS = ("latent_edit", "python", "torch", "transformers")


@dataclass(frozen=True)
class Run:
    """recordings: folder of a corpus, without which some rows cannot be measured. out: the Markdown file."""

    cache: Path
    out: Path
    sizes: SampleSizes
    recordings: Path | None = None
    workers: int = 1


def evaluate_embedded(editor: LatentEditor, run: Run, tell: Callable[[int, int], None]) -> list[Row]:
    """Measure every row and write them into `run.out` and the data beside it. Raises InputError on a wrong corpus."""
    others = [method for method in editor.methods if method != METHOD]
    plan = make_plan(editor.voices, run.sizes, run.recordings, predicted_styles(editor.style_encoder), others)
    parts = [*(ON_RECORDINGS if run.recordings else ()), *ON_TEXT]
    parts = [part for part in parts if run.sizes.preservation or part is not words_rows]
    scores, needed = CachedScores(editor, run.cache), ScoreList(editor)
    for part in parts:
        part(needed, plan)
    scores.compute(needed.keys, tell, run.workers)
    rows = [row for part in parts for row in part(scores, plan)]
    hashes = editor.hashes(METHOD) | {f"bridge of {method}": editor.hashes(method)["bridge"] for method in others}
    hashes["code"] = editor_code(editor)
    run.out.parent.mkdir(parents=True, exist_ok=True)
    data = run.out.with_name(report.DATA_NAME)
    measured = report.merge(rows, hashes, report.read_data(data))
    report.write_data(data, measured)
    text = report.section(measured, hashes, notes(plan), report.attribute_table(scores, plan))
    report.write_section(run.out, text)
    return rows


def notes(plan: Plan) -> list[str]:
    """What a reader has to know about this run."""
    versions = environment()["versions"]
    made_with = ", ".join(f"{name} {versions[name]}" for name in VERSIONS)
    sizes = ", ".join(f"{name} {count}" for name, count in asdict(plan.sizes).items() if name != "voices")
    lines = [
        f"Made with {made_with}. Voices: {', '.join(plan.voices)}; sentences of each: {sizes}.",
        "Intervals: 95 %, bootstrap clustered by sentence and by voice. Gates are held against the value, except where"
        " the gate names a bound or an interval.",
        "The method `world`: what the CLAP's axis head makes of the prompt, through WORLD on the same plain synthesis.",
    ]
    if not plan.recorded:
        lines.append("Without real recordings (`--recordings`) the rows that need them were not measured this time.")
    if not plan.axes:
        lines.append("This CLAP has no axis head: the method `world` was not measured.")
    return lines


def predicted_styles(encoder: StyleEncoder) -> dict[str, Style]:
    """What an axis head makes of every judged prompt; nothing where the encoder has none."""
    prompts = list(judged_styles())
    read = [encoder.axes(style) for style in encoder.embed_text(prompts).split(1)]
    if read[0].keys() != AXES.keys():
        return {}
    values = [np.array([axes[name].value for name in AXES]) for axes in read]
    return {p: style_of(np.clip(v, MINIMA, MAXIMA)) for p, v in zip(prompts, values, strict=True)}


def summary(rows: list[Row]) -> str:
    """One line for each row with a gate, for the terminal."""
    lines = []
    for row in rows:
        if row.gate is not None:
            cells: Mapping[str, str] = dict(zip(("what", "of", "value", "interval", "gate"), row.cells(), strict=False))
            verdict = row.verdict.strip("*")
            lines.append(f"{verdict:<12} {cells['what']}, {cells['of']}: {cells['value']} (gate {cells['gate']})")
    return "\n".join(lines)
