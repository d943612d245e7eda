"""The suite `latents`: what the latents and the CLAP hold, what a speaker id does, and what can be moved in Z.

The paper's suggested checks (1) and (3), its grid of speakers, and its open questions (arXiv 2311.10804).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from latent_edit.evaluation import clap_rows, latent_rows, report, speaker_grid, subspace
from latent_edit.evaluation.cached_scores import CachedScores, ScoreList
from latent_edit.evaluation.clips import Recording, editor_code
from latent_edit.evaluation.emotion import read_acted
from latent_edit.evaluation.latent_frames import read_frames
from latent_edit.evaluation.latent_results import SECTION, section, write_figures
from latent_edit.evaluation.plan import Plan, SampleSizes, make_plan, sentences
from latent_edit.evaluation.rows import Row
from latent_edit.evaluation.styled_latents import render

if TYPE_CHECKING:
    from latent_edit.editor import LatentEditor
    from latent_edit.models.clap import StyleEncoder

METHOD = "i2sb"
Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class LatentSizes:
    """How much is measured.

    recordings: held-out recordings of each voice whose frames are probed. heard: of these and more, for what the CLAP
    hears. styled: of the first, how many are rendered in other styles; drawn: in how many that are drawn at random.
    grid: sentences of each voice. wishes: sentences times voices for every wish of an axis. again: voices as which
    acted speech is said again.
    """

    recordings: int = 24
    heard: int = 60
    styled: int = 8
    drawn: int = 6
    grid: int = 2
    wishes: int = 8
    again: int = 1


QUICK = LatentSizes(recordings=3, heard=4, styled=2, drawn=2, grid=1, wishes=1, again=1)


@dataclass(frozen=True)
class LatentRun:
    """What to measure and where it goes.

    cache: folder of scores. results: the Markdown file, one marked section of which is written. data: folder of
    evaluation.json. figures: folder of pictures. recordings: a corpus; acted: a folder of acted speech. clap: another
    CLAP, of which alone is measured what it hears.
    """

    cache: Path
    results: Path
    data: Path
    figures: Path
    recordings: Path
    acted: Path | None = None
    clap: StyleEncoder | None = None
    sizes: LatentSizes = LatentSizes()
    workers: int = 1


def evaluate_latents(editor: LatentEditor, run: LatentRun, tell: Tell) -> list[Row]:
    """Measure every row and write section, data and figures. Raises InputError on a wrong corpus."""
    plan = make_plan(editor.voices, SampleSizes(recordings=run.sizes.heard), run.recordings, {})
    hashes = editor.hashes(METHOD) | {"code": editor_code(editor)}
    if run.clap is not None:
        rows = _heard_by(type(editor)(editor.vits, run.clap, {}), plan, run, tell)
        measured_with = {name: value for name, value in hashes.items() if name != "style_encoder"}
    else:
        rows = _every_row(editor, plan, run, tell)
        measured_with = hashes
    measured = merge(rows, measured_with, report.read_data(run.data / report.DATA_NAME))
    report.write_data(run.data / report.DATA_NAME, measured)
    written = report.Report(measured, hashes)
    write_figures(written, run.figures)
    report.write_section(run.results, section(written, run.results, run.figures), SECTION)
    return rows


def merge(rows: Sequence[Row], hashes: Mapping[str, str], earlier: Sequence[report.Measured]) -> list[report.Measured]:
    """This run's rows, and earlier ones that it did not measure, those of another CLAP on the same subject too."""
    new = {(row.what, row.of) for row in rows}
    measured = [report.Measured(row, hashes) for row in rows]
    return measured + [item for item in earlier if (item.row.what, item.row.of) not in new]


def _every_row(editor: LatentEditor, plan: Plan, run: LatentRun, tell: Tell) -> list[Row]:
    sizes, scores, needed = run.sizes, CachedScores(editor, run.cache), ScoreList(editor)
    rows = _heard_by(editor, plan, run, tell) + clap_rows.voice_rows(scores, list(plan.recordings))
    if run.acted is not None:
        rows += clap_rows.said_again_rows(scores, read_acted(run.acted), plan.voices[: sizes.again], tell)
    spoken = read_frames(editor, probed(plan, sizes.recordings), tell)
    styled = [own for voice in plan.voices for own in _of(spoken, voice)[: sizes.styled]]
    rendered = render(editor, styled, sizes.drawn, tell)
    rows += latent_rows.alignment_rows(spoken, rendered) + latent_rows.frame_rows(spoken)
    rows += latent_rows.share_rows(spoken) + latent_rows.style_rows(rendered)
    directions = subspace.fit_directions(spoken, rendered)

    def on_edits(of: CachedScores) -> list[Row]:
        grid = speaker_grid.grid_rows(of, plan, sizes.grid)
        return grid + subspace.subspace_rows(of, plan, directions, sizes.wishes)

    on_edits(needed)
    scores.compute(needed.keys, tell, run.workers)
    return rows + on_edits(scores)


def _heard_by(editor: LatentEditor, plan: Plan, run: LatentRun, tell: Tell) -> list[Row]:
    """What the editor's CLAP hears in recordings and in acted speech, beside mel bands and latents."""
    scores = CachedScores(editor, run.cache)
    rows = clap_rows.natural_rows(scores, list(plan.recordings), tell)
    return rows + (clap_rows.emotion_rows(scores, read_acted(run.acted), tell) if run.acted is not None else [])


def probed(plan: Plan, count: int) -> list[Recording]:
    """So many recordings of each voice, none of a sentence on which edits are judged."""
    judged = {text for voice in plan.voices for text in sentences(voice, plan.split)}
    return [r for own in plan.recorded.values() for r in [r for r in own if r.text not in judged][:count]]


def _of(spoken: Sequence[latent_rows.Spoken], voice: str) -> list[latent_rows.Spoken]:
    return [x for x in spoken if x.recording.voice == voice]
