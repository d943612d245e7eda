"""latent_edit changes how a sentence is spoken by editing the latent space of a frozen, pretrained VITS.

The public names are loaded when first used, so that importing the package stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from latent_edit.editor import LatentEditor
    from latent_edit.request import EditRequest
    from latent_edit.result import EditResult

__all__ = ["EditRequest", "EditResult", "LatentEditor"]

_ROOMS = {"LatentEditor": "editor", "EditRequest": "request", "EditResult": "result"}  # name -> module


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("latent_edit.versions").VERSION
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"latent_edit.{_ROOMS[name]}"), name)
