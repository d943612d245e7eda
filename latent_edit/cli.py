"""The command line: python -m latent_edit app | say | edit | voices | prepare | train | evaluate | bench | ...

Nothing heavy is imported before a command runs. Bad input is one line on stderr and exit code 2.
"""

from __future__ import annotations

import json
import logging
import runpy
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from latent_edit.axes import LIMITS
from latent_edit.config import SHIPPED
from latent_edit.errors import InputError
from latent_edit.files import write_text
from latent_edit.listening.commands import listening_app
from latent_edit.recipes import prepare_app, train_app
from latent_edit.request import RANGES, EditRequest
from latent_edit.suites import evaluate

if TYPE_CHECKING:
    from latent_edit.editor import LatentEditor
    from latent_edit.result import EditResult

AXES_HELP = (
    'Set axes by hand, such as "pitch_semitones=2, level_db=-3", whatever the style asks of them: '
    + ", ".join(f"{name} ({low:.3g} to {high:.3g})" for name, (low, high) in LIMITS.items())
    + "."
)

app = typer.Typer(
    help="Change how a sentence is spoken by editing the latent space of a frozen VITS.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(prepare_app, name="prepare")
app.add_typer(train_app, name="train")
app.add_typer(listening_app, name="listening")
app.command()(evaluate)


def main() -> None:
    """Run the command line; an InputError becomes one line and exit code 2."""
    # How far what takes long has come. Of this project only: phonemizer would remark on every other sentence.
    told = logging.getLogger("latent_edit")
    told.handlers = [logging.StreamHandler()]
    told.setLevel(logging.INFO)
    try:
        app()
    except InputError as error:
        _fail(str(error))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _fail(f"{where}{error.strerror or error}; choose what you may read and write, on a disk with room")
    except ModuleNotFoundError as error:
        if str(error.name).startswith("latent_edit"):
            raise
        _fail(f"the package {error.name} is not installed; training and judging need requirements-dev.txt")


def _fail(words: str) -> NoReturn:
    typer.echo("error: " + " ".join(words.split()), err=True)
    sys.exit(2)


def _load_editor() -> LatentEditor:
    from latent_edit.editor import LatentEditor

    return LatentEditor.load()


def _number(name: str, meaning: str, default: str | None = None) -> str:
    """Help about a number of a request: what it means, from where to where, and what it is where it is not given."""
    low, high = RANGES[name]
    return f"{meaning} ({low:g} to {high:g}; {default or format(getattr(EditRequest, name), 'g')} if not given)."


@app.command(
    name="app", add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True}
)
def start_page(context: typer.Context) -> None:
    """Start the page; `app --help` lists its flags."""
    sys.argv = [context.command_path, *context.args]
    runpy.run_path(str(SHIPPED / "app.py"), run_name="__main__")


@app.command()
def voices() -> None:
    """List the voices."""
    for name in _load_editor().voices:
        typer.echo(name)


@app.command()
def methods() -> None:
    """List the methods of editing."""
    for name, title in _load_editor().methods.items():
        typer.echo(f"{name:<16} {title}")


@app.command()
def say(
    text: Annotated[str, typer.Option(help="What to say.")],
    voice: Annotated[str, typer.Option(help="Whose voice, as listed by `voices`.")],
    out: Annotated[Path, typer.Option(help="WAV file to write.")],
    seed: Annotated[int, typer.Option(help="The same number gives the same speech.")] = 0,
) -> None:
    """Read a text plainly, without an edit."""
    from latent_edit import audio

    speech = _load_editor().say(text, voice, seed)
    samples = speech.waveform.item(0).numpy()
    out.parent.mkdir(parents=True, exist_ok=True)
    audio.write_wav(out, samples, speech.waveform.sampling_rate, audio.shared_gain(samples))
    _tell_left_out(speech.dropped_symbols, speech.notes)
    typer.echo(str(out))


@app.command()
def edit(
    out: Annotated[Path, typer.Option(help="Folder for WAVs, pictures and edit.json.")],
    text: Annotated[str | None, typer.Option(help="What to say, up to 2,000 characters.")] = None,
    voice: Annotated[
        str | None, typer.Option(help="Whose voice, as listed by `voices`; of a recording the nearest if not given.")
    ] = None,
    prompt: Annotated[str | None, typer.Option(help='How it should sound, such as "an angry shout".')] = None,
    recording: Annotated[Path | None, typer.Option(help="Speech to say again, instead of a text.")] = None,
    reference: Annotated[Path | None, typer.Option(help="A clip of speech in that style, instead of a prompt.")] = None,
    decode_voice: Annotated[str | None, typer.Option(help="Another voice for the decoder alone.")] = None,
    method: Annotated[str | None, typer.Option(help="How to edit, as listed by `methods`.")] = None,
    guidance: Annotated[float | None, typer.Option(help=_number("guidance", "How strongly the style steers"))] = None,
    strength: Annotated[float | None, typer.Option(help=_number("strength", "How far to go, 0 is before"))] = None,
    steps: Annotated[int | None, typer.Option(help=_number("steps", "Steps of the sampler"))] = None,
    pace: Annotated[
        float | None, typer.Option(help=_number("pace", "Factor on durations; 2 is half as fast", "the style's"))
    ] = None,
    seed: Annotated[int | None, typer.Option(help="The same number gives the same speech.")] = None,
    prior_noise: Annotated[
        float | None, typer.Option(help=_number("prior_noise", "Liveliness of the plain synthesis"))
    ] = None,
    duration_noise: Annotated[
        float | None,
        typer.Option(help=_number("duration_noise", "Liveliness of its durations, in voices that draw it (not ours)")),
    ] = None,
    words: Annotated[
        str | None, typer.Option(help='Change only these words, such as "3-5", counted in the text as it is read.')
    ] = None,
    axes: Annotated[str | None, typer.Option(help=AXES_HELP)] = None,
    correction: Annotated[
        bool | None,
        typer.Option(help="Correct pitch, level and so on to what the style asks for (default), or do not."),
    ] = None,
    repeat: Annotated[Path | None, typer.Option(help="Make the edit of this edit.json again.")] = None,
) -> None:
    """Say a text, or a recording again, plainly (before) and in a style (after)."""
    given = {name: value for name, value in locals().items() if name not in ("out", "repeat") and value is not None}
    result = _repeat(repeat, given) if repeat else _edit(given)
    _show_progress("writing the files", 1.0)
    paths = result.save(out)
    _end_progress()
    remarks = () if result.asked is None else result.asked.notes  # which are told with the rest of the reading
    _tell_left_out(result.dropped_symbols, [note for note in result.notes if note not in remarks])
    typer.echo(report(result))
    typer.echo("\n".join(map(str, paths.values())))


def _edit(given: dict[str, Any]) -> EditResult:
    from latent_edit.request import EditRequest, parse_words

    if "words" in given:
        given = {**given, "words": parse_words(given["words"])}
    if "axes" in given:
        given = {**given, "axes": parse_axes(given["axes"])}
    needed = ("text", "voice") if "recording" not in given else ()
    if missing := [name for name in needed if name not in given]:
        raise InputError(f"--{missing[0]} is missing; give it, or --recording, or --repeat with an edit.json")
    request = EditRequest(**{"text": "", "voice": "the nearest", **given})  # checked before the models load
    editor = _load_editor()
    if "method" not in given:
        request = replace(request, method=editor.default_method)
    if "voice" not in given:
        request = replace(request, voice=editor.nearest_voice(given["recording"]))
        _note(f"the nearest voice is {request.voice}")
    return editor.edit(request, _show_progress)


def _repeat(record: Path, given: dict[str, Any]) -> EditResult:
    from latent_edit.request import read_record, record_notes
    from latent_edit.versions import differences

    if given:
        option = next(iter(given)).replace("_", "-")
        raise InputError(f"--repeat takes every setting from the record; leave out --{option}")
    content = read_record(record)
    for note in record_notes(content):
        _note(note)
    recorded = content["provenance"]
    result = _load_editor().repeat(record, _show_progress)
    if changed := differences(recorded):
        _note(f"the result may differ in its last bits: {', '.join(changed)}")
    return result


def parse_axes(axes: str) -> dict[str, float]:
    """Values by name of "pitch_semitones=2, level_db=-3"; the request checks both. Raises InputError."""
    pairs = [pair.partition("=") for pair in axes.split(",")]
    try:
        return {name.strip(): float(value) for name, _, value in pairs}
    except ValueError as error:
        raise InputError(f'axes must be like "pitch_semitones=2, level_db=-3", not {axes!r}') from error


def report(result: EditResult) -> str:
    """What was understood, what came of it on every axis and the one verdict, and what was measured."""
    from latent_edit.wording import MINUS, measured_rows, outcome_rows, reading_lines

    understood = [] if result.asked is None else reading_lines(result.asked)
    outcomes, verdict = outcome_rows(result)
    lines = [
        *understood,
        *_table(outcomes, ("name", "asked", "got", "verdict")),
        verdict,
        *_table(measured_rows(result), ("name", "before", "after", "change")),
    ]
    return "\n".join(lines).replace(MINUS, "-")  # which not every terminal can show


def _table(rows: Sequence[dict[str, str]], columns: Sequence[str]) -> list[str]:
    """Lines with aligned columns under their names."""
    cells = [["", *columns[1:]], *([row[column] for column in columns] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in cells]


@app.command("prompts")
def read_prompts(
    prompts: Annotated[list[str], typer.Argument(help="Prompts, or CSV files with a column `prompt`.")],
) -> None:
    """Show what prompts are understood to ask for, without making an edit."""
    import csv

    from latent_edit.wording import MINUS, asked_in_words, reading_lines

    editor = _load_editor()
    for given in prompts:
        if given.endswith(".csv"):
            with Path(given).open(encoding="utf-8", newline="") as file:
                texts = [row["prompt"] for row in csv.DictReader(file)]
        else:
            texts = [given]
        for text in texts:
            reading = editor.read_prompt(text)
            lines = [text, *asked_in_words(reading), *reading_lines(reading)]
            typer.echo("\n    ".join(lines).replace(MINUS, "-"))


@app.command()
def bench(
    runs: Annotated[int, typer.Option(min=1, help="Edits to time, after a first one.")] = 5,
    out: Annotated[Path | None, typer.Option(help="JSON file for the figures.")] = None,
) -> None:
    """Time the main job on this machine: real-time factor of each stage, start-up, peak memory, the page."""
    from latent_edit import bench as timing

    benchmark = timing.run(runs)
    typer.echo(benchmark.table())
    if out:
        write_text(out, json.dumps(asdict(benchmark), indent=2) + "\n")


@app.command()
def samples(out: Annotated[Path, typer.Option(help="Folder for the clips.")] = Path("assets/sounds")) -> None:
    """Make the sound examples: every voice in a few styles, as MP3 files."""
    from latent_edit.samples import make_samples

    out.mkdir(parents=True, exist_ok=True)
    make_samples(_load_editor(), out)
    typer.echo(f"written to {out}")


@app.command()
def manifest() -> None:
    """List the checkpoints' files with their hashes anew, after a card was written."""
    from latent_edit import checkpoint

    typer.echo(f"written to {checkpoint.update_manifest(checkpoint.default_root())}")


def _show_progress(words: str, share: float) -> None:
    if sys.stderr.isatty():
        typer.echo(f"\r{share:4.0%} {words:<32}", err=True, nl=False)


def _end_progress() -> None:
    if sys.stderr.isatty():
        typer.echo("\r" + " " * 40 + "\r", err=True, nl=False)


def _note(words: str) -> None:
    typer.echo(f"note: {words}", err=True)


def _tell_left_out(symbols: Sequence[str], notes: Sequence[str]) -> None:
    if symbols:
        _note(f"symbols the voice does not know were left out: {' '.join(symbols)}")
    for note in notes:
        _note(note)
