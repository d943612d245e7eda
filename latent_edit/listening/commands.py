"""`python -m latent_edit listening new | render | serve | export | analyse`."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from latent_edit.errors import InputError
from latent_edit.files import write_text
from latent_edit.listening.study import STUDY_NAME, load_study

PASSWORD_VARIABLE = "LATENT_EDIT_MONITOR_PASSWORD"
SHORTEST_PASSWORD = 8
TEMPLATE = Path(__file__).parent / "template.yaml"

listening_app = typer.Typer(
    help="Listening tests: a study file, its clips, a blind page, and the statistics of the answers.",
    no_args_is_help=True,
)
StudyFolder = Annotated[Path, typer.Argument(help="Folder with study.yaml and rendered clips.")]


@listening_app.command()
def new(folder: Annotated[Path, typer.Argument(help="Folder to make.")]) -> None:
    """Write a study file to start from, with every test type in it."""
    path = folder / STUDY_NAME
    if path.exists():
        raise InputError(f"{path} exists already; choose another folder")
    write_text(path, TEMPLATE.read_text(encoding="utf-8"))
    typer.echo(str(path))


@listening_app.command()
def render(
    study: Annotated[Path, typer.Argument(help="Study file, or the folder that holds a study.yaml.")],
    out: Annotated[Path | None, typer.Option(help="Folder for study and clips; the study's own if not given.")] = None,
) -> None:
    """Make every clip of a study, at the levels that it asks for."""
    from latent_edit.editor import LatentEditor
    from latent_edit.listening.render import render as make

    def tell(done: int, of: int) -> None:
        if sys.stderr.isatty():
            typer.echo(f"\r{done} of {of} clips" + ("\n" if done == of else ""), err=True, nl=False)

    file = study / STUDY_NAME if study.is_dir() else study
    checked = load_study(file)
    folder = out or file.parent
    clips = make(checked, file.parent, folder, LatentEditor.load, tell)
    if not (folder / STUDY_NAME).exists() or not (folder / STUDY_NAME).samefile(file):
        shutil.copyfile(file, folder / STUDY_NAME)
    typer.echo(f"{len(clips)} clips in {folder}")


@listening_app.command()
def serve(
    folder: StudyFolder,
    host: Annotated[str, typer.Option(help="Address to listen on, 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 7860,
    password_file: Annotated[
        Path | None, typer.Option(help=f"File with the monitor's password; or set {PASSWORD_VARIABLE}.")
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(help="Private data set on the Hugging Face Hub for a second copy, as owner/name.")
    ] = None,
) -> None:
    """Show the study to participants, at /?pid=..., and to you at /monitor."""
    from latent_edit.listening.server import serve as answer

    password = monitor_password(password_file)
    shown = f"monitor at http://{host}:{port}/monitor" if password else f"no monitor: {PASSWORD_VARIABLE} is not set"
    typer.echo(f"participants at http://{host}:{port}/, {shown}")
    answer(folder, host, port, password, dataset)


def monitor_password(file: Path | None = None) -> str | None:
    """The monitor's password from a file or the environment; None without. Raises InputError for a short one."""
    text = file.read_text(encoding="utf-8").strip() if file else os.environ.get(PASSWORD_VARIABLE, "")
    if not text and file is None:
        return None
    if len(text) < SHORTEST_PASSWORD:
        raise InputError(f"the monitor's password has fewer than {SHORTEST_PASSWORD} characters; choose a longer one")
    return text


@listening_app.command()
def export(
    folder: StudyFolder,
    out: Annotated[Path, typer.Option(help="File to write; a folder for webmushra.")],
    kind: Annotated[
        Literal["csv", "jsonl", "webmushra"], typer.Option(help="Answers as csv or jsonl; the study for webMUSHRA.")
    ] = "csv",
) -> None:
    """Write all answers, or the study itself as a folder for webMUSHRA."""
    from latent_edit.listening.export import as_csv, as_json_lines, read_rows

    if kind == "webmushra":
        from latent_edit.listening.webmushra import write_webmushra

        write_webmushra(folder, out)
    else:
        rows = read_rows(folder)
        write_text(out, as_csv(rows) if kind == "csv" else as_json_lines(rows))
    typer.echo(str(out))


@listening_app.command()
def analyse(
    folder: StudyFolder,
    out: Annotated[Path, typer.Option(help="Folder for the report, its figures and tables.")],
    answers: Annotated[
        Path | None, typer.Option(help="Export (.jsonl) or a folder of backups, instead of the folder's own answers.")
    ] = None,
) -> None:
    """Screen participants, estimate and compare conditions, and write report.md."""
    from latent_edit.listening.report import write_report

    typer.echo(str(write_report(load_study(folder), answers or folder, out)))
