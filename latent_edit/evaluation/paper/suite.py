"""The paper's methods and ours side by side: each row is a short training, or a shipped bridge, and its judgement.

Edits are those of the development set and the bridge's alone: the correction would hide what bridges differ in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latent_edit.bridge import BridgeConfig, load_bridge
from latent_edit.errors import InputError
from latent_edit.evaluation.cached_scores import CachedScores
from latent_edit.evaluation.clips import Clip, Edit, editor_code
from latent_edit.evaluation.comparison import Figure
from latent_edit.evaluation.effects import mean_progress
from latent_edit.evaluation.outside_judges import same_voice, words_lost
from latent_edit.evaluation.paper import paper_report, paper_rows
from latent_edit.evaluation.paper.paper_rows import PROGRESS, SUCCESS, VARIETY, VOICE, WORDS, Judged, PaperData, Values
from latent_edit.evaluation.paper.variety import f0_variety
from latent_edit.evaluation.plan import SampleSizes, Trial, make_plan, presets
from latent_edit.evaluation.style_success import succeeds

if TYPE_CHECKING:
    from latent_edit.editor import LatentEditor

COMBINATIONS = 4  # of sentence and voice, for each preset, where no row is there yet


@dataclass(frozen=True)
class PaperRun:
    """rows: names; none is all. training: steps and batch size of every row, in place of the suite's budget.

    cache: folder of scores. data: folder of paper-suite.json. results: the Markdown file. pictures: folder.
    combinations: of sentence and voice, for each preset; None: as many as the rows that are there have.
    """

    rows: Sequence[str]
    training: Mapping[str, int]
    cache: Path
    data: Path
    results: Path
    pictures: Path
    combinations: int | None = None


@dataclass(frozen=True)
class Trained:
    """A bridge of a row, in its folder. spent: what its training took, see `paper_rows.Judged`."""

    folder: Path
    spent: dict[str, Any]


Train = Callable[[str, BridgeConfig], Trained]


def evaluate_paper(editor: LatentEditor, run: PaperRun, train: Train, tell: Callable[[str], None]) -> PaperData:
    """Train and judge rows, keep each as soon as it is there, and write report and pictures of all that are.

    editor: with the shipped weights. train: makes the bridge of a row, or takes it over from an earlier run. A row that
    is there already stays as it is, unless other weights, another definition or another budget than its own is asked
    for. Raises InputError.
    """
    path, suite = run.data / paper_rows.DATA_NAME, paper_rows.load_suite()
    earlier = paper_rows.read_data(path)
    usual = len(earlier.trials) // len(presets()) if earlier else COMBINATIONS
    trials = make_plan(editor.voices, SampleSizes(), None, {}).trials(presets(), run.combinations or usual)
    about = [(trial.edit.voice, trial.edit.text, trial.rule) for trial in trials]
    data = earlier or PaperData(trials=about, rows={})
    if data.trials != about:
        raise InputError(f"the rows in {path} were judged on other edits; delete it to begin anew")
    for name, row in suite.chosen(run.rows).items():
        config, settings = suite.config(name, run.training), suite.settings(name, run.training)
        known = data.rows.get(name)
        if known and known.made_with(settings, row.weights(editor), any_budget=not run.training):
            tell(f"{name}: judged already")
            continue
        asked = {"guidance": row.guidance, "steps": row.sampler_steps, "correction": False}
        judged, method, spent = editor, row.shipped or name, {}
        if config is not None:
            tell(f"{name}: training")
            trained = train(row.trained_as or name, config)
            bridges = {name: load_bridge(trained.folder, editor.vits, editor.style_encoder)}
            judged, spent = type(editor)(editor.vits, editor.style_encoder, bridges), trained.spent
        tell(f"{name}: judging {len(trials)} edits")
        values = _judge(CachedScores(judged, run.cache), trials, {"method": method, **asked})
        hashes = {**judged.hashes(method), "code": editor_code(judged)}
        data.rows[name] = Judged(settings=settings, spent=spent, hashes=hashes, values=values)
        paper_rows.write_data(path, data)
    paper_report.write_pictures(data, run.pictures)
    paper_report.write_report(run.results, path, editor)
    return data


def figures() -> list[Figure]:
    """What is judged of every edit by a clip: words, axes, voice."""
    return [
        Figure(WORDS, "points", words_lost("moonshine")),
        Figure(PROGRESS, "times", _progress),
        Figure(SUCCESS, "percent", succeeds),
        Figure(VOICE, "cosine", same_voice),
    ]


def _judge(scores: CachedScores, trials: Sequence[Trial], asked: Mapping[str, Any]) -> dict[str, Values]:
    values: dict[str, Values] = {what: [] for what in (*(figure.what for figure in figures()), VARIETY)}
    for trial in trials:
        request = replace(trial.edit.request, **asked)
        for figure in figures():
            values[figure.what].append(_rounded(figure.measure(scores, trial, Edit(request))))
        variety = f0_variety(scores.editor, request)
        values[VARIETY].append(_rounded(None if variety is None else (variety, 1.0)))
    return values


def _rounded(found: tuple[float, float] | None) -> tuple[float, float] | None:
    return None if found is None else (round(found[0], 4), found[1])


def _progress(scores: CachedScores, trial: Trial, clip: Clip) -> tuple[float, float] | None:
    before, after = scores.measurements(trial.edit.before), scores.measurements(clip)
    reached = mean_progress(trial.rule, before, after)
    return None if reached is None else (reached, 1.0)
