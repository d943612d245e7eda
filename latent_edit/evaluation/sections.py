"""Suites that have a section of their own in docs/RESULTS.md, or a page, beside the tables of `evaluate`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from latent_edit.evaluation import acted_emotions
from latent_edit.evaluation.clips import editor_code
from latent_edit.evaluation.comparison import PAIRED
from latent_edit.evaluation.latents import latent_results
from latent_edit.evaluation.report import DATA_NAME, LATENTS, Report, merge, read_data, write_data, write_section
from latent_edit.evaluation.rows import Row
from latent_edit.evaluation.takes import acted_bridges, human_pair
from latent_edit.files import write_text

if TYPE_CHECKING:
    from latent_edit.editor import LatentEditor

TAKES = "TAKES.md"  # the page about bridges between takes
TAKES_LINK = f"""## Bridges between takes

What bridges learn from two recorded manners of one actor, and from acted takes: [{TAKES}]({TAKES})."""


def write_sections(report: Report, results: Path) -> None:
    """Put the table of every suite that was ever measured into docs/RESULTS.md, or on a page beside it."""
    if emotions := _section(report, acted_emotions.TITLE, acted_emotions.ABOUT):
        write_section(results, emotions, "emotions")
    takes = [_section(report, suite.TITLE, suite.ABOUT) for suite in (human_pair, acted_bridges)]
    if any(takes):
        page = "\n\n".join(["# Bridges between two takes of a sentence", *filter(None, takes)])
        write_text(results.with_name(TAKES), page + "\n")
        write_section(results, TAKES_LINK, "takes")
    if any(what.startswith(LATENTS) for what, _ in report.items):
        page_of_latents = results.with_name(latent_results.PAGE)
        write_text(page_of_latents, latent_results.page(report, page_of_latents, latent_results.FOLDER))
        write_section(results, latent_results.LINK, "latents")


def _section(report: Report, title: str, about: str) -> str | None:
    """The table of rows that begin with a title, below what is said about it; None where there are none."""
    figures = [what for what, _ in report.items if what.startswith(title) and not what.endswith(PAIRED)]
    if not figures:
        return None
    table = report.pivot(list(dict.fromkeys(figures)), "system", "development").replace(title, "")
    return f"{about}\n\n{table}"


def write(rows: Sequence[Row], editor: LatentEditor, data: Path, results: Path) -> None:
    """Put the rows of a suite among those of earlier runs in the folder `data`, and its table into the report."""
    hashes = editor.hashes(editor.default_method) | {"code": editor_code(editor)}
    measured = merge(rows, hashes, read_data(data / DATA_NAME))
    write_data(data / DATA_NAME, measured)
    write_sections(Report(measured, hashes), results)
