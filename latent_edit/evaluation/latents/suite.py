"""The suite `latents`: what the latents and the CLAP hold, what a speaker id does, and what can be moved in Z.

The paper's suggested checks (1) and (3), its grid of speakers, and its open questions (arXiv 2311.10804).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from latent_edit.evaluation import report
from latent_edit.evaluation.cached_scores import CachedScores, ScoreList
from latent_edit.evaluation.clips import Recording, editor_code
from latent_edit.evaluation.emotion import read_acted
from latent_edit.evaluation.latents import clap_rows, latent_rows, speaker_grid, subspace
from latent_edit.evaluation.latents.latent_frames import read_frames
from latent_edit.evaluation.latents.latent_results import page, write_figures
from latent_edit.evaluation.latents.styled_latents import render
from latent_edit.evaluation.plan import Plan, SampleSizes, make_plan, sentences
from latent_edit.evaluation.rows import Row
from latent_edit.files import write_text

if TYPE_CHECKING:
    from latent_edit.editor import LatentEditor
    from latent_edit.models.clap import StyleEncoder

METHOD = "i2sb"
OF_VOICE, OF_CLAP = ("voice",), ("voice", "style_encoder")  # hashes that rows without an edit depend on
Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class LatentSizes:
    """How much is measured.

    recordings: held-out recordings of each voice whose frames are probed. heard: of these and more, for what the CLAP
    hears. styled: of the first, how many are rendered in other styles; drawn: in how many that are drawn at random.
    grid: sentences of each voice. wishes: sentences times voices for every wish of an axis. again: voices as which
    acted speech is resynthesised.
    """

    recordings: int = 24
    heard: int = 60
    styled: int = 8
    drawn: int = 6
    grid: int = 2
    wishes: int = 4
    again: int = 1


QUICK = LatentSizes(recordings=3, heard=4, styled=2, drawn=2, grid=1, wishes=1, again=1)


@dataclass(frozen=True)
class LatentRun:
    """What to measure and where it goes.

    cache: folder of scores. results: the Markdown file. data: folder of
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
    """Measure every row; what is written is written after each part. Raises InputError on a wrong corpus."""
    plan = make_plan(editor.voices, SampleSizes(recordings=run.sizes.heard), run.recordings, {})
    hashes = editor.hashes(METHOD) | {"code": editor_code(editor)}
    heard_by = editor if run.clap is None else type(editor)(editor.vits, run.clap, {})
    every: list[Row] = []
    for rows, made_with in _parts(editor, heard_by, plan, run, tell):
        every += rows
        known = {name: hashes[name] for name in made_with or hashes}
        measured = merge(rows, known, report.read_data(run.data / report.DATA_NAME))
        report.write_data(run.data / report.DATA_NAME, measured)
        written = report.Report(measured, hashes)
        write_figures(written, run.figures)
        write_text(run.results, page(written, run.results, run.figures))
    return every


def merge(rows: Sequence[Row], hashes: Mapping[str, str], earlier: Sequence[report.Measured]) -> list[report.Measured]:
    """Earlier rows that this run did not measure, those of another CLAP on the same subject too, and this run's."""
    new = {(row.what, row.of) for row in rows}
    kept = [item for item in earlier if (item.row.what, item.row.of) not in new]
    return kept + [report.Measured(row, hashes) for row in rows]


def _parts(
    editor: LatentEditor, heard_by: LatentEditor, plan: Plan, run: LatentRun, tell: Tell
) -> Iterator[tuple[list[Row], tuple[str, ...]]]:
    """The rows, part by part, and which hashes they depend on (all of them where none is named).

    heard_by: the editor with the CLAP that hears; of another CLAP there are only the rows on what it hears.
    """
    sizes, scores = run.sizes, CachedScores(heard_by, run.cache)
    recorded, pairs = list(plan.recordings), read_acted(run.acted) if run.acted is not None else []
    clap = OF_VOICE if heard_by is not editor else OF_CLAP
    yield clap_rows.natural_rows(scores, recorded, tell), clap
    if pairs:
        yield clap_rows.emotion_rows(scores, pairs, tell), clap
    if heard_by is not editor:
        return
    yield clap_rows.voice_rows(scores, recorded), OF_VOICE
    if pairs:
        yield clap_rows.said_again_rows(scores, pairs, plan.voices[: sizes.again], tell), OF_VOICE
    yield _judged(partial(speaker_grid.grid_rows, plan=plan, count=sizes.grid), scores, run, tell), ()
    spoken = read_frames(editor, probed(plan, sizes.recordings), tell)
    styled = [own for voice in plan.voices for own in _of(spoken, voice)[: sizes.styled]]
    rendered = render(editor, styled, sizes.drawn, tell)
    yield latent_rows.alignment_rows(spoken, rendered) + latent_rows.style_rows(rendered), OF_VOICE
    yield latent_rows.frame_rows(spoken) + latent_rows.share_rows(spoken), OF_VOICE
    along = subspace.fit_directions(spoken, rendered)
    wished = partial(subspace.subspace_rows, plan=plan, directions=along, count=sizes.wishes)
    yield _judged(wished, scores, run, tell), ()


def _judged(rows: Callable[[CachedScores], list[Row]], scores: CachedScores, run: LatentRun, tell: Tell) -> list[Row]:
    """Rows on edits, whose scores are computed first, in several processes if there are several workers."""
    needed = ScoreList(scores.editor)
    rows(needed)
    scores.compute(needed.keys, tell, run.workers)
    return rows(scores)


def probed(plan: Plan, count: int) -> list[Recording]:
    """So many recordings of each voice, none of a sentence on which edits are judged."""
    judged = {text for voice in plan.voices for text in sentences(voice, plan.split)}
    return [r for own in plan.recorded.values() for r in [r for r in own if r.text not in judged][:count]]


def _of(spoken: Sequence[latent_rows.Spoken], voice: str) -> list[latent_rows.Spoken]:
    return [x for x in spoken if x.recording.voice == voice]
