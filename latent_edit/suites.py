"""The command `evaluate`: what is judged, by which suite, and where the results go."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from latent_edit.config import PRESETS
from latent_edit.errors import InputError
from latent_edit.recipes import RUNS, VOICE, RunsOption, prepared_latents
from latent_edit.request import choose

if TYPE_CHECKING:
    from latent_edit.bridge import Bridge, BridgeConfig
    from latent_edit.data.latents import Latents
    from latent_edit.editor import LatentEditor
    from latent_edit.evaluation.paper.suite import Trained
    from latent_edit.evaluation.plan import Split

RESULTS, REPORT, PICTURES = Path("docs/RESULTS.md"), Path("checkpoints"), Path("assets")
# The options of each suite, besides --out and --runs.
SUITES: Mapping[str, Collection[str]] = {
    "embedded": ("recordings", "study", "test", "quick", "combinations", "preservation", "workers"),
    "paper": ("rows", "steps", "batch", "combinations", "quick"),
    "latents": ("recordings", "acted", "clap", "quick", "workers"),
    "emotions": ("acted", "combinations", "workers"),
    "human-pair": ("recordings",),
    "acted-pairs": ("acted",),
    "reference-effects": ("recordings", "workers"),
}


def evaluate(
    suite: Annotated[
        str,
        typer.Option(
            help="embedded, paper (presets/paper-suite.yaml), latents, emotions, human-pair, acted-pairs, or "
            "reference-effects (presets/reference-effects.yaml)."
        ),
    ] = "embedded",
    recordings: Annotated[
        Path | None,
        typer.Option(help="The corpus of `prepare recordings`; without it, rows that need it stay as they were."),
    ] = None,
    acted: Annotated[
        Path | None, typer.Option(help="A folder of acted speech (EmoDB), to learn from and to fit emotion judges on.")
    ] = None,
    study: Annotated[
        Path | None,
        typer.Option(help="The folder of a listening test, whose listeners become a judge beside the models."),
    ] = None,
    test: Annotated[bool, typer.Option("--test", help="The test set: once for a release, never to choose.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="A few of everything, in RUNS/evaluation-quick.")] = False,
    combinations: Annotated[
        int | None, typer.Option(min=1, help="Sentences times voices for every preset and system.")
    ] = None,
    preservation: Annotated[
        int | None, typer.Option(min=0, help="Recordings a voice for words preserved; 0 leaves these rows.")
    ] = None,
    clap: Annotated[
        str | None, typer.Option(help="With --suite latents: only what this CLAP hears (folder, .pt file or hub name).")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that judge.")] = 1,
    rows: Annotated[list[str] | None, typer.Option(help="Of the suite paper: a row; may be given often.")] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Of the suite paper: steps that each row is trained.")
    ] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="Of the suite paper: examples a step.")] = None,
    out: Annotated[Path | None, typer.Option(help="File to write; docs/RESULTS.md if not given.")] = None,
    runs: RunsOption = RUNS,
) -> None:
    """Judge the weights in checkpoints/ (needs requirements-dev.txt); what was judged already is only read."""
    asked = {
        "recordings": recordings, "acted": acted, "study": study, "test": test, "quick": quick, "rows": rows,
        "combinations": combinations, "preservation": preservation, "clap": clap, "steps": steps, "batch": batch,
        "workers": workers if workers > 1 else None,
    }  # fmt: skip
    given = {name: value for name, value in asked.items() if value is not None and value is not False}
    _refuse_others(choose("suite", suite, SUITES), given)
    if suite == "paper":
        training = _given(steps=steps, batch_size=batch)
        return _evaluate_paper(rows or [], training, combinations or (1 if quick else None), quick, out, runs)
    if suite == "latents":
        return _evaluate_latents(recordings, acted, clap, quick, workers, out, runs)
    if suite in ("emotions", "human-pair", "acted-pairs"):
        return _judge_people(suite, recordings if suite == "human-pair" else acted, combinations, workers, runs, out)
    if suite == "reference-effects":
        return _measure_reference_effects(recordings, runs, workers, out)
    split: Split = "test" if test else "development"
    counts = _given(presets=combinations, preservation=preservation)
    return _evaluate_embedded(counts, quick, split, recordings, study, workers, out, runs)


def _given(**counts: int | None) -> dict[str, int]:
    """Those that were given."""
    return {name: count for name, count in counts.items() if count is not None}


def _refuse_others(suite: str, given: Collection[str]) -> None:
    """Raises InputError where an option is of other suites than this one."""
    for name in given:
        if name not in SUITES[suite]:
            others = ", ".join(other for other, options in SUITES.items() if name in options)
            raise InputError(f"--{name} is for --suite {others}, not for {suite}: leave it out")


def _evaluate_embedded(
    counts: Mapping[str, int], quick: bool, split: Split, recordings: Path | None, study: Path | None, workers: int,
    out: Path | None, runs: Path,
) -> None:  # fmt: skip
    from dataclasses import replace

    from latent_edit.editor import LatentEditor
    from latent_edit.evaluation.plan import QUICK, SampleSizes
    from latent_edit.evaluation.suite import Run, evaluate_embedded, summary
    from latent_edit.listening.export import scores

    sizes = replace(QUICK if quick else SampleSizes(), **counts)
    folder = runs / "evaluation-quick"
    results, data = (out or folder / RESULTS.name, folder) if quick else (out or RESULTS, REPORT)
    listeners = scores(study) if study else []
    run = Run(runs / "evaluation", results, data, sizes, recordings, split=split, study=listeners, workers=workers)
    typer.echo(summary(evaluate_embedded(LatentEditor.load(), run, _tell_judged)))
    typer.echo(f"written to {results}")


def _evaluate_paper(
    rows: list[str], training: dict[str, int], combinations: int | None, quick: bool, out: Path | None, runs: Path
) -> None:
    from latent_edit.editor import LatentEditor
    from latent_edit.evaluation.paper.suite import PaperRun, evaluate_paper

    folder = runs / "evaluation-quick"
    data, results, pictures = (folder, folder / RESULTS.name, folder) if quick else (REPORT, RESULTS, PICTURES)
    run = PaperRun(rows, training, runs / "evaluation", data, out or results, pictures, combinations)
    evaluate_paper(LatentEditor.load(), run, partial(_train_row, runs, folder if quick else runs), typer.echo)
    typer.echo(f"written to {run.results}")


def _train_row(runs: Path, states: Path, name: str, config: BridgeConfig) -> Trained:
    """The bridge of a row of the suite paper, in STATES/paper/ROW-STEPS, which goes on where it was interrupted."""
    import numpy as np
    import torch

    from latent_edit.evaluation.paper.suite import Trained
    from latent_edit.training import bridge, loop

    latents, vits = prepared_latents(runs, VOICE, config)
    folder = states / "paper" / f"{name}-{config.training.steps}"
    resume, held_out = (folder / loop.STATE_NAME).is_file(), bridge.last_sentences(latents)
    trained = bridge.train(config, latents, vits, folder, resume=resume, held_out=held_out)
    trained.cpu().save(folder / "bridge", latents.latent_hash, latents.style_hash)
    cuda = torch.cuda.is_available()
    natural = np.delete(latents.natural, held_out)
    spent = {
        "steps": config.training.steps,
        "batch_size": config.training.batch_size,
        "seconds": round(loop.seconds_spent(folder, "seconds_per_step" if cuda else "cpu_seconds_per_step")),
        "device": torch.cuda.get_device_name() if cuda else "a CPU core",
        "examples": len(natural),
        "recordings": int(natural.sum()),
        "image": config.network == "image",
        "validation": loop.course(folder, bridge.VALIDATION),
    }
    return Trained(folder / "bridge", spent)


def _evaluate_latents(
    recordings: Path | None,
    acted: Path | None,
    clap: str | None,
    quick: bool,
    workers: int,
    out: Path | None,
    runs: Path,
) -> None:
    from latent_edit.editor import LatentEditor
    from latent_edit.evaluation.latents import latent_results
    from latent_edit.evaluation.latents import suite as latents
    from latent_edit.models.clap import load_style_encoder

    if recordings is None:
        raise InputError("--suite latents measures real recordings; give their folder with --recordings")
    folder = runs / "latents-quick"
    data, figures = (folder, folder) if quick else (REPORT, latent_results.FOLDER)
    run = latents.LatentRun(
        runs / "evaluation",
        out or (folder if quick else RESULTS.parent) / latent_results.PAGE,
        data,
        figures,
        recordings,
        acted,
        load_style_encoder(clap) if clap else None,
        latents.QUICK if quick else latents.LatentSizes(),
        workers,
    )
    rows = latents.evaluate_latents(LatentEditor.load(), run, _tell_judged)
    typer.echo(f"{len(rows)} rows, written to {run.results}")


def _measure_reference_effects(recordings: Path | None, runs: Path, workers: int, out: Path | None) -> None:
    from latent_edit.editor import LatentEditor
    from latent_edit.evaluation import reference_effects
    from latent_edit.evaluation.cached_scores import CachedScores

    if recordings is None:
        raise InputError("reference-effects measures real recordings; give their folder with --recordings")
    editor = LatentEditor.load()
    chosen = reference_effects.training_recordings(recordings, editor.voices)
    out, scores = out or PRESETS / "reference-effects.yaml", CachedScores(editor, runs / "evaluation")
    measured = reference_effects.measure_reference_effects(scores, chosen, _tell_judged, workers)
    reference_effects.write_reference_effects(out, measured, len(chosen))
    typer.echo(f"written to {out}")


def _judge_people(
    suite: str, speech: Path | None, combinations: int | None, workers: int, runs: Path, out: Path | None
) -> None:
    """The suites that compare with how people say it; speech: a folder of recordings or of acted speech."""
    from latent_edit.editor import LatentEditor
    from latent_edit.evaluation import acted_emotions, sections
    from latent_edit.evaluation.cached_scores import CachedScores
    from latent_edit.evaluation.takes import acted_bridges, human_pair

    if speech is None:
        option = "--recordings" if suite == "human-pair" else "--acted"
        raise InputError(f"{suite} judges against what people said; give its folder with {option}")
    editor = LatentEditor.load()
    scores = CachedScores(editor, runs / "evaluation")
    if suite == "emotions":
        rows = acted_emotions.evaluate_emotions(scores, speech, combinations, _tell_judged, workers)
    elif suite == "human-pair":
        rows = human_pair.human_pair_rows(scores, speech, *_bridge_of_takes(editor, runs / "takes"), _tell_judged)
    else:
        pairs = [_bridge_of_takes(editor, runs / name / "takes") for name in acted_bridges.HALVES]
        rows = acted_bridges.acted_rows(scores, speech, [acted_bridges.Half.of(*pair) for pair in pairs], _tell_judged)
    out = out or RESULTS
    sections.write(rows, editor, REPORT, out)
    typer.echo(f"written to {out}")


def _bridge_of_takes(editor: LatentEditor, folder: Path) -> tuple[Bridge, Latents]:
    """A bridge that `train bridge` has left beside the takes it learnt from."""
    from latent_edit.bridge import load_bridge
    from latent_edit.data.takes import load_takes

    return load_bridge(folder / "bridge", editor.vits, editor.style_encoder), load_takes(folder)


def _tell_judged(done: int, every: int) -> None:
    if done % 48 == 0 or done == every:
        typer.echo(f"{done} of {every} judged", err=True)
