"""What an edit was made with, so that it can be made again: versions, machine, checkpoint hashes."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from latent_edit.errors import CheckpointError

VERSION = "0.1.0"
PACKAGES = ("torch", "transformers", "numpy", "soxr", "soundfile", "phonemizer", "espeakng-loader", "praat-parselmouth")


def environment() -> dict[str, Any]:
    """Versions (None where a package is absent) and machine; a bit-identical repeat needs the same of both."""
    import torch

    versions: dict[str, str | None] = {"latent_edit": VERSION, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = None
    machine = {"system": platform.system(), "processor": platform.machine(), "threads": torch.get_num_threads()}
    return {"versions": versions, "machine": machine}


def refuse_other_checkpoints(recorded: Mapping[str, Any], loaded: Mapping[str, str]) -> None:
    """Raises CheckpointError naming each checkpoint whose hash is not the recorded one."""
    found = recorded.get("checkpoints")
    known = found if isinstance(found, dict) else {}
    changed = [name for name, digest in loaded.items() if known.get(name) != digest]
    if changed:
        details = ", ".join(f"{name} was {str(known.get(name))[:12]}, is {loaded[name][:12]}" for name in changed)
        raise CheckpointError(f"this edit was made with other checkpoints ({details}); use those, or make a new edit")


def differences(recorded: Mapping[str, Any]) -> list[str]:
    """Versions and machine traits that are not the recorded ones, one phrase each."""
    now, phrases = environment(), []
    for section, values in now.items():
        before = recorded.get(section)
        before = before if isinstance(before, dict) else {}
        phrases += [f"{k} was {before.get(k)}, is {value}" for k, value in values.items() if before.get(k) != value]
    return phrases
