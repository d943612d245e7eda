"""The words of the sentence, of which a visitor may mark those that alone are changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from latent_edit.request import parse_words
from latent_edit.sentences import split_sentences, spoken_words
from latent_edit.text import normalise
from latent_edit.ui.loading import EditorLoader
from latent_edit.ui.parts import part


def words_as_read(text: str, english: bool = True) -> list[str]:
    """The words of a text in the order in which `EditRequest.words` counts them. english: whether voices read that."""
    read = normalise(text or "").words if english else text or ""
    return [word for piece in split_sentences(read) for word in spoken_words(piece.text)]


def marked(value: Mapping[str, Any] | None) -> tuple[int, int] | None:
    """First and last marked word, for `EditRequest.words`. Raises InputError."""
    return parse_words(str((value or {}).get("marked") or ""))


def marked_value(words: tuple[int, int] | None) -> str:
    """A range as it is typed: "3-5", "3", or "" for all words."""
    return "" if words is None else f"{words[0]}-{words[1]}" if words[0] < words[1] else f"{words[0]}"


def build_marked_words(text: gr.Textbox, first: str, loader: EditorLoader) -> gr.HTML:
    """Draw the words under the sentence; they follow what is typed."""
    words = part("marked_words", "marked-words", {"words": words_as_read(first), "marked": ""})

    def follow(typed: str, value: dict[str, Any] | None) -> dict[str, Any]:
        read, chosen = words_as_read(typed, loader.reads_english), marked(value)
        return {"words": read, "marked": marked_value(chosen) if chosen and chosen[1] <= len(read) else ""}

    # No endpoint: it only draws. Of several changes in a row only the last is asked about.
    text.change(
        follow, [text, words], words, queue=False, show_progress="hidden", trigger_mode="always_last",
        api_visibility="private",
    )  # fmt: skip
    return words
