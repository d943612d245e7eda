"""A blind test of one's own takes: it runs in the visitor's browser, with the trials of listening tests."""

from __future__ import annotations

import json
import re
from pathlib import Path

import gradio as gr

import latent_edit.listening

HERE = Path(__file__).parent
PAGE = Path(latent_edit.listening.__file__).parent / "page"
# The frame has the origin of this page, so that the takes, which live in it as blobs, can be read there.
OPEN = """(takes) => {
  if ((takes?.cells?.length ?? 0) < 2) return `<p role="status">Keep at least two takes first.</p>`;
  const dialog = document.createElement("dialog");
  dialog.id = "blind-test";
  dialog.innerHTML = `<form method="dialog"><button aria-label="Close the blind test">Close</button></form>`;
  const frame = document.createElement("iframe");
  frame.title = "Blind test of my takes";
  frame.addEventListener("load", () => frame.contentWindow.begin(takes.cells));
  frame.srcdoc = DOCUMENT;
  dialog.append(frame);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return "";
}"""


def build_blind(takes: gr.HTML) -> None:
    """The button under the kept takes."""
    button = gr.Button("Blind test of my takes", elem_id="blind", size="sm")
    told = gr.HTML("", js_on_load=None, apply_default_css=False, elem_id="blind-told")
    # "</" would end a script element in the page's own markup.
    document = json.dumps(blind_document()).replace("</", "<\\/")
    button.click(None, takes, told, js=OPEN.replace("DOCUMENT", document), api_visibility="private")


def blind_document() -> str:
    """The whole page of the frame: markup, look and scripts in one."""
    modules = [_plain(PAGE / "player.js"), _plain(PAGE / "trial.js"), _plain(HERE / "blind.js")]
    style = (PAGE / "study.css").read_text(encoding="utf-8")
    head = f'<meta charset="utf-8"><title>Blind test of my takes</title><style>{style}</style>'
    body = f"<main></main><script>{''.join(modules)}</script>"
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>'


def _plain(path: Path) -> str:
    """A module as a part of one script: without its imports and exports."""
    text = path.read_text(encoding="utf-8")
    return re.sub(r"^import .*\n", "", re.sub(r"^export ", "", text, flags=re.M), flags=re.M)
