"""The suite of the embedded weights: every row of the report by one call, which goes on where it was interrupted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from latent_edit import judges
from latent_edit.axes import AXES
from latent_edit.data.styles import Style, style_of
from latent_edit.evaluation import report, sections
from latent_edit.evaluation.cached_scores import CachedScores, ScoreList
from latent_edit.evaluation.clips import editor_code
from latent_edit.evaluation.controls import systems
from latent_edit.evaluation.listeners import ClipScore, listener_rows
from latent_edit.evaluation.outside_judges import PACKAGES, outside_rows
from latent_edit.evaluation.paper import paper_report
from latent_edit.evaluation.paper.paper_rows import DATA_NAME as PAPER_DATA
from latent_edit.evaluation.plan import NEUTRAL, Plan, SampleSizes, Split, make_plan, new_prompts, paraphrases, presets
from latent_edit.evaluation.preservation import voice_rows, words_rows
from latent_edit.evaluation.retrieval import caption_rows, retrieval_rows
from latent_edit.evaluation.robustness import robustness_rows
from latent_edit.evaluation.rows import Row
from latent_edit.evaluation.style_success import neutral_rows, prompt_rows, success_rows
from latent_edit.evaluation.synthesis_quality import (
    fidelity_rows,
    identity_rows,
    intonation_rows,
    naturalness_rows,
    word_rows,
)
from latent_edit.files import write_text
from latent_edit.prompts.lexicon import MAXIMA, MINIMA
from latent_edit.versions import environment

if TYPE_CHECKING:
    from latent_edit.editor import LatentEditor
    from latent_edit.models.clap import StyleEncoder

METHOD = "i2sb"
VERSIONS = ("latent_edit", "python", "torch", "transformers")
Part = Callable[[CachedScores, Plan], list[Row]]
ON_RECORDINGS: tuple[Part, ...] = (
    word_rows,
    fidelity_rows,
    naturalness_rows,
    intonation_rows,
    identity_rows,
    words_rows,
    voice_rows,
    retrieval_rows,
)
ON_TEXT: tuple[Part, ...] = (success_rows, prompt_rows, neutral_rows, robustness_rows)


@dataclass(frozen=True)
class Run:
    """What to judge, and where it goes.

    cache: folder of scores. results: the Markdown file. data: folder of evaluation.json; the marked section of a
    README.md there is written as well. recordings: folder of a corpus, without which some rows
    cannot be measured. study: scores of a listening test.
    """

    cache: Path
    results: Path
    data: Path
    sizes: SampleSizes
    recordings: Path | None = None
    study: Sequence[ClipScore] = ()
    split: Split = "development"
    workers: int = 1


def evaluate_embedded(editor: LatentEditor, run: Run, tell: Callable[[int, int], None]) -> list[Row]:
    """Measure every row and write the report and its data. Raises InputError on a wrong corpus."""
    prompts = [*presets(), NEUTRAL, *paraphrases(run.split), *new_prompts(run.split)]
    axes = predicted_styles(editor.style_encoder, prompts)
    plan = make_plan(editor.voices, run.sizes, run.recordings, axes, list(editor.methods), run.split)
    scores, needed = CachedScores(editor, run.cache), ScoreList(editor)
    parts = _parts(run)
    for part in parts:
        part(needed, plan)
    scores.compute(needed.keys, tell, run.workers)
    rows = [row for part in parts for row in part(scores, plan)] + listener_rows(run.study)
    hashes = editor.hashes(METHOD) | {
        f"bridge of {name}": editor.hashes(name)["bridge"] for name in editor.methods if name != METHOD
    }
    hashes["code"] = editor_code(editor)
    measured = report.merge(rows, hashes, report.read_data(run.data / report.DATA_NAME))
    report.write_data(run.data / report.DATA_NAME, measured)
    written = report.Report(measured, hashes)
    about = {system.name: system.about for system in systems(plan)}
    run.results.parent.mkdir(parents=True, exist_ok=True)
    write_text(run.results, written.results(notes(plan), about) + "\n")
    paper_report.write_report(run.results, run.data / PAPER_DATA, editor)
    sections.write_sections(written, run.results)
    report.write_section(run.data / "README.md", written.headlines())
    return rows


def _parts(run: Run) -> list[Part]:
    """What is measured: the test set is for edits alone, the rest does not depend on sentences or prompts of ours."""
    parts: list[Part] = [outside_rows, *ON_TEXT]
    if run.split == "test":
        return parts
    if run.recordings:
        parts += [part for part in ON_RECORDINGS if run.sizes.preservation or part is not words_rows]
    return [*parts, caption_rows]


def notes(plan: Plan) -> list[str]:
    """What a reader has to know about this run."""
    versions = environment()["versions"]
    made_with = ", ".join(f"{name} {versions[name]}" for name in VERSIONS)
    sizes = ", ".join(f"{name} {count}" for name, count in asdict(plan.sizes).items() if name != "voices")
    lines = [
        f"Last run: the {plan.split} set, with {made_with}; voices {', '.join(plan.voices)}; {sizes}.",
        "The development set chose what is shipped; the test set is judged once for a release and chooses nothing.",
        "Moonshine and pocketsphinx are recognisers, DistillMOS and DNSMOS models of quality, the voice is compared by"
        " Resemblyzer.",
    ]
    if missing := [what for what, package in PACKAGES.items() if not judges.installed(package)]:
        lines.append(f"Not measured this time, because the judge is not installed: {', '.join(missing)}.")
    if not plan.recorded:
        lines.append("Without real recordings (`--recordings`) the rows that need them were not measured this time.")
    if not plan.axes:
        lines.append("This CLAP has no axis head: WORLD was not measured.")
    return lines


def predicted_styles(encoder: StyleEncoder, prompts: Sequence[str]) -> dict[str, Style]:
    """What an axis head makes of every prompt; nothing where the encoder has none."""
    read = [encoder.axes(style) for style in encoder.embed_text(list(prompts)).split(1)]
    if read[0].keys() != AXES.keys():
        return {}
    values = [np.array([axes[name].value for name in AXES]) for axes in read]
    return {p: style_of(np.clip(v, MINIMA, MAXIMA)) for p, v in zip(prompts, values, strict=True)}


def summary(rows: list[Row]) -> str:
    """One line for each row with a gate, for the terminal."""
    lines = []
    for row in rows:
        if row.gate is not None:
            cells: dict[str, str] = dict(zip(("what", "of", "value", "interval", "gate"), row.cells(), strict=False))
            verdict = row.verdict.strip("*")
            lines.append(f"{verdict:<12} {cells['what']}, {cells['of']}: {cells['value']} (gate {cells['gate']})")
    return "\n".join(lines)
