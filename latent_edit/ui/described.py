"""The settings of an edit, each in a few words: what tells takes apart, and what a comparison holds fixed."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import shorten
from typing import TYPE_CHECKING

from latent_edit.axes import AXES
from latent_edit.wording import shown

if TYPE_CHECKING:
    from latent_edit.request import EditRequest

LONGEST = 60  # characters of a sentence or a prompt
# What goes without saying, unless another edit differs in it.
UNSAID = {
    "decode_voice": "its own decoder", "pace": "pace of the style", "axes": "no axis by hand", "words": "all words",
}  # fmt: skip


def described(request: EditRequest) -> dict[str, str]:
    """Each setting by name, in the order in which the page has them."""
    axes = request.axes or {}
    by_hand = ", ".join(f"{AXES[name].title.lower()} {shown(name, value)}" for name, value in axes.items())
    values = {
        "text": f"\u201c{_short(request.text)}\u201d" if request.recording is None else "your recording",
        "words": f"words {request.words[0]} to {request.words[1]}" if request.words else None,
        "voice": request.voice,
        "prompt": _short(request.prompt) if request.reference is None else "like the clip",
        "axes": f"{by_hand} by hand" if by_hand else None,
        "strength": f"strength {request.strength:g}",
        "pace": None if request.pace is None else f"duration \u00d7 {request.pace:g}",
        "guidance": f"guidance {request.guidance:g}",
        "steps": f"{request.steps} steps",
        "seed": f"seed {request.seed}",
        "decode_voice": None if request.decode_voice is None else f"decoder of {request.decode_voice}",
        "method": f"method {request.method}",
    }
    return {name: value or UNSAID[name] for name, value in values.items()}


def held_fixed(requests: Sequence[EditRequest]) -> str:
    """The settings that all of these edits share, in one line."""
    all_settings = [described(request) for request in requests]
    first = all_settings[0]
    shared = [name for name in first if all(settings[name] == first[name] for settings in all_settings)]
    return ", ".join(first[name] for name in shared if first[name] != UNSAID.get(name))


def _short(text: str) -> str:
    return shorten(text, LONGEST, placeholder=" \u2026")
