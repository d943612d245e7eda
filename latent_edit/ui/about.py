"""What this is and is not, rendered from the files that say so in the repository: nothing is copied here."""

from __future__ import annotations

import json
import re
from itertools import groupby
from pathlib import Path
from typing import Any

import gradio as gr

from latent_edit.config import SHIPPED
from latent_edit.ui.parts import part, served_file

FROM_README = ("How it works", "Results", "Limits", "Responsible use")
THE_WEIGHTS = "The weights, and how they were judged"
CREDITS = "Recordings behind the shipped weights"
LOCAL_LINK = re.compile(r"\[([^\]]+)\]\((?!https?:)[^)]*\)")  # leads nowhere from the page
# Comments, and lines that are a picture by its file name or a link to one.
UNSEEN = re.compile(r"<!--.*?-->\n?|^!\[[^\n]*\)\n|^\(\[[^\n]*\.png\)\)\n", re.DOTALL | re.MULTILINE)


def build_about(root: Path = SHIPPED) -> None:
    """The texts of a repository; what is not there is left out."""
    readme, notice = sections(root / "README.md"), sections(root / "NOTICE.md")
    figures = sections(root / "checkpoints" / "README.md")
    texts = [readme.get("", ""), *(_titled(name, readme) for name in FROM_README)]
    with gr.Column(elem_id="about"):
        part("sounds", "sounds", sounds_value(root / "assets" / "sounds"))
        gr.Markdown("\n\n".join(filter(None, texts)), elem_classes="prose")
        for name, table in figures.items():
            with gr.Accordion(name or THE_WEIGHTS, open=False, elem_classes="figures"):
                gr.Markdown(table, elem_classes="prose wide")
        gr.Markdown(_titled(CREDITS, notice), elem_classes="prose")


def sections(path: Path) -> dict[str, str]:
    """Heading of level two -> its text, "" -> what stands before the first; no comments, pictures or local links."""
    if not path.is_file():
        return {}
    text = LOCAL_LINK.sub(r"\1", UNSEEN.sub("", path.read_text(encoding="utf-8")))
    if text.startswith("---\n"):  # the front matter of a Space
        text = text.split("---\n", 2)[2]
    text = re.sub(r"\A\s*# .*\n", "", text)
    first, *rest = re.split(r"^## ", text, flags=re.MULTILINE)
    titled = [part.partition("\n") for part in rest]
    return {"": first.strip(), **{title.strip(): body.strip() for title, _, body in titled}}


def sounds_value(folder: Path) -> dict[str, Any] | None:
    """The sound examples that `samples` wrote: text, and of each voice its clips; None where there are none."""
    table = folder / "sounds.json"
    if not table.is_file():
        return None
    about = json.loads(table.read_text(encoding="utf-8"))
    voices = []
    for name, rows in groupby(about["sounds"], key=lambda row: row["voice"]):
        sounds = []
        for row in rows:
            title = row["prompt"] or "the plain reading"
            sounds.append({"title": title, "label": f"{name}, {title}", "audio": served_file(folder / row["file"])})
        voices.append({"name": name, "sounds": sounds})
    return {"text": about["text"], "voices": voices}


def _titled(name: str, texts: dict[str, str]) -> str:
    return f"## {name}\n\n{texts[name]}" if name in texts else ""
