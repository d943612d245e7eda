"""Under the sentence: the words as they will be read, wherever they differ from what is typed."""

from __future__ import annotations

import html

import gradio as gr

from latent_edit.text import normalise
from latent_edit.ui.loading import EditorLoader
from latent_edit.ui.parts import static

LONGEST_SHOWN = 600  # characters; a long text is read in full, but not shown twice


def words_read_value(text: str) -> str:
    """HTML: the words that differ, what is left out, what is spelt, what another script is read as; "" if nothing."""
    read = normalise(text or "")
    lines = []
    if read.differs_from(text or "") and read.words:
        words = " ".join(read.words.split())
        shown = words if len(words) <= LONGEST_SHOWN else words[:LONGEST_SHOWN].rsplit(" ", 1)[0] + " \u2026"
        lines.append(f"<strong>Read as</strong> {html.escape(shown)}")
    lines += [html.escape(note) for note in read.notes]
    if not lines:
        return ""
    return f'<div class="remark" role="status">{"".join(f"<p>{line}</p>" for line in lines)}</div>'


def build_words_read(text: gr.Textbox, loader: EditorLoader) -> None:
    """The line under a textbox, which follows what is typed: of several changes in a row only the last is asked about.

    It needs no models; once they are there, it stays empty for a voice that does not read English.
    """
    line = static("", "words-read")

    def follow(typed: str) -> str:
        return words_read_value(typed) if loader.reads_english else ""

    text.change(
        follow, text, line, queue=False, show_progress="hidden", trigger_mode="always_last", api_visibility="private"
    )
