"""Remarks under a result: what was not understood, what was left out, and how to get the same sound again."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from latent_edit.result import EditResult

LOADING = "Loading the models"


def loading_status() -> str:
    """Shown under the button until the models are there."""
    return f"<p>{LOADING}. You can already write; the first edit waits for them.</p>"


def notes_value(result: EditResult) -> str:
    """A list in HTML; everything that came from a visitor is escaped."""
    attention = [html.escape(note) for note in result.notes]
    if result.unknown_words:
        attention.append(f"Not known to the style encoder, and so without effect: {_quoted(result.unknown_words)}.")
    if result.dropped_symbols:
        attention.append(f"Left out, because this voice has no sound for it: {_quoted(result.dropped_symbols)}.")
    quiet = [f"Seed {result.request.seed}: the same seed and settings make the same sound again."]
    if result.gain < 1:
        quiet.append(f"Both clips were turned down by the same factor, {result.gain:.2f}, to fit into 16 bit.")
    items = [f'<li class="attention">{line}</li>' for line in attention] + [f"<li>{line}</li>" for line in quiet]
    return f"<ul>{''.join(items)}</ul>"


def _quoted(words: tuple[str, ...]) -> str:
    return ", ".join(f"<q>{html.escape(word)}</q>" for word in words)
