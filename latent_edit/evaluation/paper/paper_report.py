"""docs/PAPER.md, the paper's methods side by side, its pictures, and what docs/RESULTS.md shows of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latent_edit.evaluation.comparison import difference
from latent_edit.evaluation.paper.paper_rows import (
    PROGRESS,
    SUCCESS,
    VARIETY,
    VOICE,
    WORDS,
    PaperData,
    PaperSuite,
    load_suite,
    read_data,
)
from latent_edit.evaluation.report import OLD, markdown, with_interval, write_section
from latent_edit.evaluation.rows import Unit
from latent_edit.evaluation.statistics import Estimate, estimate
from latent_edit.files import whole, write_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from latent_edit.editor import LatentEditor

UNITS: dict[str, Unit] = {
    WORDS: "points", PROGRESS: "times", SUCCESS: "percent", VOICE: "cosine", VARIETY: "semitones"
}  # fmt: skip
MARKER, PAGE = "paper suite", "PAPER.md"
TITLE = "The paper's methods side by side"
TRADE_OFF, FOREST, VALIDATION = "paper-trade-off.svg", "paper-ablation.svg", "paper-validation.svg"
UNLIKE = "‡"
PAPER_STEPS, PAPER_BATCH = 50_000, 64
INK, DOTS, LINES = "#1f2430", "#ad3a1c", "#0b6a70"
ALIKE = (10.0, 0.15)  # points of words, and progress, within which a row is named together with the default
CURVES = {"i2sb": LINES, "paper-temporal": "#7a4f9a"}  # shipped bridge -> colour of its curve over guidance
# The paper's three experiments: what was asked, a row, and the row that it is compared with.
EXPERIMENTS = (
    ("1. Palette: is content kept, is style changed?", "palette-paper", None),
    ("1. Palette, with our network", "palette-paper-temporal", None),
    ("2. I2SB against Palette", "i2sb-paper", "palette-paper"),
    ("2. I2SB against Palette, with our network", "i2sb-paper-temporal", "palette-paper-temporal"),
    ("3. Guidance 8 against 1, the paper's I2SB", "shipped-paper-guidance-8", "shipped-paper"),
    ("3. Guidance 8 against 1, the shipped default", "shipped-guidance-8", "shipped"),
)


def write_report(results: Path, data: Path, editor: LatentEditor) -> None:
    """Write the page beside the file `results`, and a section into that, from the file `data`; nothing without it.

    editor: with the shipped weights; rows made with others, or by another preset than today's, are marked.
    """
    if found := read_data(data):
        suite = load_suite()
        rows = {name: row for name, row in suite.rows.items() if name in found.rows}
        old = {
            name
            for name, row in rows.items()
            if not found.rows[name].made_with(suite.settings(name, {}), row.weights(editor), any_budget=True)
        }
        write_text(results.with_name(PAGE), page(suite, found, old))
        write_section(results, section(found), MARKER)


def write_pictures(data: PaperData, folder: Path) -> None:
    """Draw the pictures into a folder; that of validation where a row has a curve."""
    folder.mkdir(parents=True, exist_ok=True)
    suite = load_suite()
    _save(trade_off(suite, data), folder / TRADE_OFF)
    _save(forest(suite, data), folder / FOREST)
    if curves := _curves(data, suite.rows):
        _save(validation(curves), folder / VALIDATION)


def section(data: PaperData) -> str:
    """What docs/RESULTS.md shows: the three experiments and both pictures, as Markdown."""
    return "\n\n".join(
        [
            f"## {TITLE}",
            f"{len(data.rows)} rows, each a short training or a shipped bridge, judged on the same {len(data.trials)}"
            f" edits by the bridge alone: [{PAGE}]({PAGE}). Among them the paper's three experiments:",
            _experiments(data),
            f"![Words lost against progress on the axes](../assets/{TRADE_OFF})",
            f"![Each change against the default, paired](../assets/{FOREST})",
        ]
    )


def page(suite: PaperSuite, data: PaperData, old: Collection[str]) -> str:
    """All of docs/PAPER.md. old: rows that would come out otherwise today."""
    count = len({(voice, text) for voice, text, _ in data.trials})
    parts = [
        f"# {TITLE}",
        "Written by `python -m latent_edit evaluate --suite paper` from rows that are short trainings"
        " (`latent_edit/presets/paper-suite.yaml`): read them against each other, not as what a method can do. Every"
        f" row is judged on the same {len(data.trials)} edits of the development set ({count} pairs of sentence and"
        " voice), by the bridge alone, without correction. Below a value stands the paired difference from the row that"
        f" it is compared with. {OLD}: one of the two was made with other weights or another preset than today's."
        f" {UNLIKE}: the two had other budgets. Pictures and the paper's three experiments: [RESULTS.md](RESULTS.md).",
        "*Words lost*: words that Moonshine gets wrong, less those before. *Progress*: of the axes that a preset names,"
        " 1 being all that is asked (pace apart). *F0 variety*: how far the shapes of F0 of four samples of one request"
        " differ, which have the same source and other noise of the bridge.",
    ]
    rows = [(name, row) for name, row in suite.rows.items() if name in data.rows]
    for group, members in groupby(rows, key=lambda item: item[1].group):
        names = [name for name, _ in members]
        parts += [f"## {group[0].upper()}{group[1:]}", _table(suite, data, names, old)]
        if _curves(data, names):
            parts += [
                f"![Validation loss of the image rows in training](../assets/{VALIDATION})",
                "The loss of the averaged network on sentences that were not trained on, relative to that before"
                " training: each row learns another target, so that a line says how far its row came, not which row"
                " edits better.",
            ]
    if missing := [name for name in suite.rows if name not in data.rows]:
        parts.append(f"Not measured yet: {', '.join(f'`{name}`' for name in missing)}.")
    return "\n\n".join(parts) + "\n"


def value(data: PaperData, row: str, figure: str, against: str | None = None) -> Estimate:
    """A figure of a row, or how much it differs from another row's on the same edits; nothing where one is missing."""
    if row not in data.rows or (against is not None and against not in data.rows):
        return Estimate()
    own = data.observations(row, figure)
    if against is None:
        return estimate([found for found in own if found])
    return estimate([difference(a, b) for a, b in zip(own, data.observations(against, figure), strict=True) if a and b])


def budget(spent: Mapping[str, Any]) -> str:
    """What a row's training took, and whether that is less than the paper's."""
    if not spent:
        return "as shipped"
    limited = spent["steps"] < PAPER_STEPS or spent["batch_size"] < PAPER_BATCH
    return (
        f"{'budget-limited: ' if limited and spent['image'] else ''}{spent['steps']:,} steps of {spent['batch_size']},"
        f" {spent['seconds']:,.0f} s on {spent['device']}, {spent['examples']:,} examples of {spent['recordings']}"
        " recordings"
    )


def _table(suite: PaperSuite, data: PaperData, names: Sequence[str], old: Collection[str]) -> str:
    body = []
    for name in names:
        against = _compared(suite, data, name)
        marks = f" {OLD}" * bool({name, against} & set(old)) + f" {UNLIKE}" * _unlike(data, name, against)
        cells = [_cell(data, name, figure, against) for figure in UNITS]
        body.append([f"`{name}`{marks}", suite.rows[name].about, *cells, budget(data.rows[name].spent)])
    return markdown(["row", "what it is", *UNITS, "training"], body)


def _compared(suite: PaperSuite, data: PaperData, name: str) -> str | None:
    """The row that a row is compared with, where it is there."""
    against = suite.rows[name].against
    return against if against != name and against in data.rows else None


def _unlike(data: PaperData, name: str, against: str | None) -> bool:
    """Whether a row was trained for longer or shorter than the one that it is compared with."""
    spent = [data.rows[each].spent for each in (name, against or name)]
    return len({(each.get("steps"), each.get("batch_size")) for each in spent}) > 1


def _cell(data: PaperData, name: str, figure: str, against: str | None) -> str:
    unit = UNITS[figure]
    own = with_interval(value(data, name, figure), unit)
    if against is None:
        return own
    return f"{own}<br>*{with_interval(value(data, name, figure, against), _of_differences(unit))}*"


def _of_differences(unit: Unit) -> Unit:
    return "points" if unit == "percent" else unit


def _experiments(data: PaperData) -> str:
    body = []
    for question, name, against in EXPERIMENTS:
        if name in data.rows and (against is None or against in data.rows):
            cells = [with_interval(value(data, name, what, against), _of_differences(UNITS[what])) for what in UNITS]
            compared = f"`{name}`" + (f" less `{against}`" if against else "")
            body.append([question, compared, *cells])
    return markdown(["experiment", "rows", *UNITS], body)


def trade_off(suite: PaperSuite, data: PaperData) -> Figure:
    """Words lost against progress: a curve over guidance for each shipped bridge, a point for each trained row."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for method, colour in CURVES.items():
        rows = [n for n, row in suite.rows.items() if n in data.rows and row.shipped == method]
        curve = sorted((n for n in rows if suite.rows[n].sampler_steps == 10), key=lambda n: suite.rows[n].guidance)
        places = [_point(axes, data, name, colour) for name in curve]
        axes.plot(*zip(*places, strict=True) if places else ((), ()), color=colour, label=f"shipped {method}")
        for name, (x, y) in zip(curve, places, strict=True):
            _name(axes, f"{suite.rows[name].guidance:g}", x, y, colour)
    points = {
        name: _point(axes, data, name, DOTS)
        for name, row in suite.rows.items()
        if name in data.rows and row.shipped not in CURVES
    }
    if default := points.get("default"):
        near = [abs(at[0] - default[0]) <= ALIKE[0] and abs(at[1] - default[1]) <= ALIKE[1] for at in points.values()]
        points = {name: at for (name, at), alike in zip(points.items(), near, strict=True) if not alike}
        points[f"default and {sum(near) - 1} rows like it"] = default
    for place, (name, (x, y)) in enumerate(sorted(points.items(), key=lambda item: item[1][1])):
        _name(axes, name, x, y, INK, above=place % 2 == 0)  # neighbours do not write over each other
    axes.set_xlabel("words lost, points (Moonshine; less is better)")
    axes.set_ylabel("progress on the axes (1 is what is asked)")
    axes.axhline(1, color="#8a8778", linewidth=1, linestyle="--")
    axes.legend(title="numbers: guidance", frameon=False)
    return figure


def _point(axes: Axes, data: PaperData, name: str, colour: str) -> tuple[float, float]:
    """Draw a row with its intervals; where it is."""
    lost, reached = (value(data, name, figure) for figure in (WORDS, PROGRESS))
    x, y = 100 * (lost.value or 0.0), reached.value or 0.0
    if lost.low is not None and lost.high is not None:
        axes.plot([100 * lost.low, 100 * lost.high], [y, y], color=colour, linewidth=0.8, alpha=0.35)
    if reached.low is not None and reached.high is not None:
        axes.plot([x, x], [reached.low, reached.high], color=colour, linewidth=0.8, alpha=0.35)
    axes.plot([x], [y], "o", color=colour, markersize=4)
    return x, y


def _name(axes: Axes, words: str, x: float, y: float, colour: str, above: bool = True) -> None:
    offset = (4, 3 if above else -9)
    axes.annotate(words, (x, y), xytext=offset, textcoords="offset points", fontsize=7, color=colour)


def forest(suite: PaperSuite, data: PaperData) -> Figure:
    """Paired differences from the default of each row that is compared with it, with their intervals."""
    from matplotlib.figure import Figure

    names = [name for name in suite.rows if name in data.rows and _compared(suite, data, name) == "default"]
    shown = (WORDS, PROGRESS, VOICE)
    figure = Figure(figsize=(10, 1.4 + 0.3 * len(names)), layout="constrained")
    for axes, what in zip(figure.subplots(1, len(shown), sharey=True), shown, strict=True):
        scale = 100 if UNITS[what] == "points" else 1
        for place, name in enumerate(names):
            found = value(data, name, what, "default")
            if found.value is None:
                continue
            if found.low is not None and found.high is not None:
                axes.plot([scale * found.low, scale * found.high], [place, place], color=LINES, linewidth=2)
            axes.plot([scale * found.value], [place], "o", color=DOTS, markersize=5)
        axes.axvline(0, color="#8a8778", linewidth=1, linestyle="--")
        axes.set_yticks(range(len(names)), [f"{n} {UNLIKE}" if _unlike(data, n, "default") else n for n in names])
        axes.set_ylim(len(names), -1)
        axes.set_title(what + (", points" if scale == 100 else ""), fontsize=9)
    figure.supxlabel("row less the default, 95 % interval", fontsize=9)
    return figure


def _curves(data: PaperData, names: Collection[str]) -> dict[str, list[list[float]]]:
    """The validation losses of those image rows that kept theirs, each as [step, loss] by step."""
    spent = {name: data.rows[name].spent for name in names if name in data.rows}
    return {name: own["validation"] for name, own in spent.items() if own.get("image") and own.get("validation")}


def validation(curves: Mapping[str, Sequence[Sequence[float]]]) -> Figure:
    """Validation loss over training, relative to that before it: losses of unlike targets have no common scale.

    curves: of each row, as [step, loss] by step.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.5), layout="constrained")
    axes = figure.subplots()
    axes.set_prop_cycle(color=[DOTS, *CURVES.values()])
    for name, curve in curves.items():
        steps, losses = zip(*curve, strict=True)
        axes.plot(steps, [loss / losses[0] for loss in losses], "o-", markersize=4, label=name)
    axes.axhline(1, color="#8a8778", linewidth=1, linestyle="--")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("training step")
    axes.set_ylabel("validation loss (1 is before training)")
    axes.legend(frameon=False)
    return figure


def _save(figure: Figure, path: Path) -> None:
    """As SVG with text as text, the same bytes for the same figures."""
    from matplotlib import rc_context

    with whole(path) as partial, rc_context({"svg.fonttype": "none", "svg.hashsalt": path.stem}):
        figure.savefig(partial, format="svg", metadata={"Date": None})
