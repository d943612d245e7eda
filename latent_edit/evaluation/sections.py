"""Suites that have a section of their own in docs/RESULTS.md, or a page, beside the tables of `evaluate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

# How the rows of a suite begin -> what stands above its table.
ABOUT: Mapping[str, str] = {module.TITLE: module.ABOUT for module in (acted_emotions, human_pair, acted_bridges)}


def write_sections(report: Report, results: Path) -> None:
    """Put the table of every suite that was ever measured into docs/RESULTS.md."""
    for title, about in ABOUT.items():
        figures = [what for what, _ in report.items if what.startswith(title) and not what.endswith(PAIRED)]
        if figures:
            table = report.pivot(list(dict.fromkeys(figures)), "system", "development").replace(title, "")
            write_section(results, f"{about}\n\n{table}", title.strip(", "))
    if any(what.startswith(LATENTS) for what, _ in report.items):
        page = results.with_name(latent_results.PAGE)
        write_text(page, latent_results.page(report, page, latent_results.FOLDER))
        write_section(results, latent_results.LINK, "latents")


def write(rows: Sequence[Row], editor: LatentEditor, data: Path, results: Path) -> None:
    """Put the rows of a suite among those of earlier runs in the folder `data`, and its table into the report."""
    hashes = {"voice": editor.vits.hash, "style_encoder": editor.style_encoder.hash, "code": editor_code(editor)}
    measured = merge(rows, hashes, read_data(data / DATA_NAME))
    write_data(data / DATA_NAME, measured)
    write_sections(Report(measured, editor.hashes(editor.default_method) | hashes), results)
