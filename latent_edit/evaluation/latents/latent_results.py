"""docs/LATENTS.md, the results on latents and CLAP, and its pictures: all of it from the rows."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from latent_edit.evaluation.latents import speaker_grid, subspace
from latent_edit.evaluation.latents.clap_rows import EMOTION, NATURAL, VOICES
from latent_edit.evaluation.latents.latent_frames import SPACES
from latent_edit.evaluation.latents.latent_rows import ALIGNMENT, FRAMES, SHARES, STYLES
from latent_edit.evaluation.latents.speaker_grid import CLIPS, DECODERS, GRID, GRID_AXES
from latent_edit.evaluation.latents.subspace import SUBSPACE
from latent_edit.evaluation.report import Report
from latent_edit.pictures import INK, QUIET_INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from latent_edit.evaluation.statistics import Estimate

PAGE = "LATENTS.md"
COMMAND = "python -m latent_edit evaluate --suite latents --recordings SPEECH --acted ACTED"
FOLDER = Path("assets")
PROBES, GRIDS, FOUR = "latents-probes.png", "latents-grid.png", "latents-voices.png"
LINK = f"""## Inside the latents

Alignment, probes, what CLAP hears, the grid of speakers and a style subspace: [{PAGE}]({PAGE}).

![What probes read from frames](../assets/{PROBES})

![The grid of speakers](../assets/{GRIDS})"""
COLOURS = ("#9aa3b2", "#1b6ca8", "#7fb4dc", "#c2571a", "#eab08c")  # mel, then recording and text in two shades each
PARTS = ("#1b6ca8", "#c2571a", "#5a9e4b", "#d9dde3")

ABOUT = {
    ALIGNMENT: (
        "Z_text against Z_audio",
        "setting",
        "Canonical correlation (fitted on half of the sentences, judged on the others) and linear CKA of frames that"
        " stand beside each other: on the recording's MAS path; with predicted durations, stretched to its length; with"
        " predicted durations, frame by frame as in the paper; and with another sentence of the voice, which is chance."
        " Whether the same is spoken in both is judged by the MAS path, and by Praat, which knows nothing of it. Styles"
        " are WORLD renderings of the recordings.",
    ),
    FRAMES: (
        "What is read from one frame",
        "frames of",
        "Linear probes (ridge, logistic regression), cross-fitted over sentences: balanced accuracy of six phoneme"
        " classes (chance 16.7 %), four speakers (25 %) and voicing (50 %), and R² of F0 and level within a voice."
        " Phonemes are those of the MAS path; F0, level and voicing are measured in the recording, or in what is"
        " synthesised from Z_text. z_p is before the inverse flow.",
    ),
    SHARES: (
        "Content, speaker, style",
        "variance of",
        "Shares of the variance, summed over channels, that linear regressions on unseen sentences explain: the phoneme"
        " with its two neighbours; the speaker; F0, level and voicing of the frame. What they share is divided evenly"
        " (Shapley values), so that the shares add up to one. The rest holds what is not linear in these, noise too.",
    ),
    STYLES: (
        "Style, from the mean frame",
        "mean of",
        "R² of each axis of a style drawn at random in which WORLD renders a recording, cross-fitted over sentences.",
    ),
    NATURAL: (
        "What the CLAP hears: recordings as they are",
        "read from",
        "R² within a voice, cross-fitted over sentences; nothing is styled.",
    ),
    EMOTION: (
        "What the CLAP hears: acted emotion",
        "read from",
        "Five emotions of EmoDB (chance 20 %) from the change from the neutral take, cross-fitted over actors; levels"
        " are equalled. *Resynthesised*: encoded and decoded under the id of one of our speakers.",
    ),
    GRID: (
        "The grid of speakers",
        "cell",
        "All ordered pairs of the four voices: a sentence of voice A, with no clip or in the style of a clip of A or B,"
        " decoded as A, as B, and as B with the speaker exchanged in the flow too. Cosines (Resemblyzer) are to"
        " held-out recordings of each voice; words lost (Moonshine) and the change of manner (mean size of the effects"
        " on all axes, in floors of the axis) are against the plain synthesis in voice A.",
    ),
    GRID_AXES: (
        "The grid of speakers, axis by axis",
        "cell",
        "Mean size of the effect on each axis, in floors of the axis, against the plain synthesis in voice A.",
    ),
    SUBSPACE: (
        "A style subspace",
        "system",
        f"Each axis but pace by {subspace.SIZE} floors, both ways: every frame of a plain synthesis moved along the"
        " direction in which renderings of that axis move the mean frame, with and without its part in the span of the"
        " phoneme and speaker probes; beside the default with the axis set by hand. *Reached*: the effect on the axis"
        " asked, as a multiple of what was asked. *Leakage*: mean size of the effects on the others, in floors.",
    ),
    VOICES: ("The four voices", "voice", "Means over held-out recordings."),
}
FIGURES = {FRAMES: (PROBES, "What probes read from frames"), GRID: (GRIDS, "The grid of speakers"),
           VOICES: (FOUR, "Contrast of the four voices")}  # fmt: skip


def page(report: Report, results: Path, figures: Path) -> str:
    """All of it. results: the file that it stands in, from which pictures in `figures` are linked."""
    parts = ["# Inside the latents", f"By `{COMMAND}`, on held-out recordings; {_corpora(report)}"]
    for prefix, (title, corner, about) in ABOUT.items():
        names = list(dict.fromkeys(what for what, _ in report.items if what.startswith(prefix)))
        if not names:
            continue
        parts += [f"## {title}", about, report.pivot(names, corner, "development").replace(prefix, "")]
        if prefix in FIGURES:
            name, words = FIGURES[prefix]
            link = Path(os.path.relpath(figures / name, results.parent)).as_posix()
            parts.append(f"![{words}]({link})")
    return "\n\n".join(parts) + "\n"


def _corpora(report: Report) -> str:
    missing = not any(what.startswith(EMOTION) for what, _ in report.items)
    return "acted speech was not given." if missing else "the figures are drawn from these rows."


def write_figures(report: Report, folder: Path) -> None:
    """Draw what there are rows for."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {PROBES: (FRAMES, _probes), GRIDS: (GRID, _grid), FOUR: (VOICES, _voices)}
    for name, (prefix, draw) in drawn.items():
        if any(what.startswith(prefix) for what, _ in report.items):
            draw(report).savefig(folder / name, dpi=120)


def _found(report: Report, what: str) -> dict[str, Estimate]:
    return {of: item.row.estimate for (name, of), item in report.items.items() if name == what}


def _probes(report: Report) -> Figure:
    """Bars of what is read from frames, and the shares of the variance."""
    figure = _figure(11, 4.2)
    left, right = figure.subplots(1, 2, width_ratios=(1.9, 1))
    names = [name.removeprefix(FRAMES) for name in dict.fromkeys(w for w, _ in report.items if w.startswith(FRAMES))]
    groups = {name: _found(report, FRAMES + name) for name in names}
    _bars(left, groups, SPACES, COLOURS)
    for place, name in enumerate(names):
        if chance := {"phoneme class": 1 / 6, "speaker": 1 / 4, "voicing": 1 / 2}.get(name):
            left.plot((place - 0.45, place + 0.45), (chance, chance), color=INK, linewidth=1, linestyle=":")
    left.set_title("Read from one frame (dotted: chance; R² of F0 and level)", fontsize=10, color=INK)
    bottom = np.zeros(len(SPACES))
    parts = [name.removeprefix(SHARES) for name in dict.fromkeys(w for w, _ in report.items if w.startswith(SHARES))]
    for part, colour in zip(parts, PARTS, strict=False):
        found = _found(report, SHARES + part)
        values = np.array([max(found[space].value or 0.0, 0.0) if space in found else 0.0 for space in SPACES])
        right.bar(range(len(SPACES)), values, bottom=bottom, color=colour, label=part, width=0.7)
        bottom += values
    right.set_title("Shares of the variance", fontsize=10, color=INK)
    right.set_xticks(range(len(SPACES)), [space.replace(" of ", "\nof ") for space in SPACES])
    for axes, columns in ((left, len(SPACES)), (right, 2)):
        _dress(axes)
        axes.legend(fontsize=7, frameon=False, ncols=columns, loc="upper center", bbox_to_anchor=(0.5, -0.2))
    return figure


def _bars(
    axes: Axes, groups: Mapping[str, Mapping[str, Estimate]], series: Sequence[str], colours: Sequence[str]
) -> None:
    """Groups of bars with intervals; a series that was not measured leaves a gap."""
    width = 0.85 / len(series)
    for place, name in enumerate(series):
        found = [(index, group[name]) for index, group in enumerate(groups.values()) if name in group]
        at = [index + (place - (len(series) - 1) / 2) * width for index, _ in found]
        values = [estimate.value or 0.0 for _, estimate in found]
        reach = [
            [max(0.0, v - (e.low if e.low is not None else v)) for v, (_, e) in zip(values, found, strict=True)],
            [max(0.0, (e.high if e.high is not None else v) - v) for v, (_, e) in zip(values, found, strict=True)],
        ]
        axes.bar(at, values, width, color=colours[place % len(colours)], label=name)
        axes.errorbar(at, values, reach, fmt="none", ecolor=INK, elinewidth=0.8)
    axes.set_xticks(range(len(groups)), list(groups))
    axes.set_ylim(0, 1.02)


def _grid(report: Report) -> Figure:
    """Two squares of clip by decoder: whose voice is heard, and which words are lost."""
    figure = _figure(9.5, 3.3)
    shown = ((speaker_grid.HEARD, "Blues", "% heard nearer to B"), (speaker_grid.LOST, "Oranges", "words lost, points"),
             (speaker_grid.CHANGED, "Greens", "change of manner, floors"))  # fmt: skip
    for axes, (what, colours, title) in zip(figure.subplots(1, 3, sharey=True), shown, strict=True):
        found = _found(report, GRID + what)
        scale = 1.0 if what == speaker_grid.CHANGED else 100.0
        every = [[found.get(f"{clip}, {decoder}") for decoder in DECODERS] for clip in CLIPS]
        values = np.array([[np.nan if e is None or e.value is None else scale * e.value for e in row] for row in every])
        axes.imshow(values, cmap=colours, vmin=0, vmax=max(1.6 * float(np.nanmax(values)), 1e-6), aspect="auto")
        for row in range(len(CLIPS)):
            for column in range(len(DECODERS)):
                axes.text(column, row, f"{values[row, column]:.{2 if scale == 1 else 0}f}", ha="center", va="center")
        axes.set_xticks(range(3), ["A", "B", "B + flow"])
        axes.set_xlabel("decoder", color=INK)
        axes.set_yticks(range(3), CLIPS)
        axes.set_title(title, fontsize=10, color=INK)
    return figure


def _voices(report: Report) -> Figure:
    """One small panel for each figure that tells the voices apart."""
    names = list(dict.fromkeys(what for what, _ in report.items if what.startswith(VOICES)))
    figure = _figure(11, 2.6)
    for axes, name in zip(np.ravel(figure.subplots(1, len(names))), names, strict=True):
        found = _found(report, name)
        values = [e.value if e.value is not None else np.nan for e in found.values()]
        reach = [
            [v - (e.low if e.low is not None else v) for v, e in zip(values, found.values(), strict=True)],
            [(e.high if e.high is not None else v) - v for v, e in zip(values, found.values(), strict=True)],
        ]
        axes.errorbar(values, range(len(found)), xerr=reach, fmt="o", color=COLOURS[1], elinewidth=1.5)
        axes.set_yticks(range(len(found)), list(found) if axes is figure.axes[0] else [""] * len(found))
        axes.set_ylim(len(found) - 0.5, -0.5)
        units = {"hertz": "Hz", "semitones": "st", "decibels": "dB", "rating": ""}
        unit = units[next(item.row.unit for (what, _), item in report.items.items() if what == name)]
        axes.set_title(f"{name.removeprefix(VOICES)}{f' ({unit})' if unit else ''}", fontsize=9, color=INK)
        _dress(axes)
    return figure


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), facecolor="white", layout="constrained")


def _dress(axes: Axes) -> None:
    axes.tick_params(colors=QUIET_INK, labelsize=8)
    for name, spine in axes.spines.items():
        spine.set_visible(name in ("bottom", "left"))
        spine.set_color(QUIET_INK)
