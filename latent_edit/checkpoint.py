"""Checkpoints: a folder with config.json, model.safetensors and CARD.md; manifest.json beside the folders lists them.

Weights may lie in float16 on disk and are always computed in float32. Nothing is ever pickled.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from latent_edit.config import SHIPPED
from latent_edit.errors import CheckpointError
from latent_edit.files import whole, write_text

CONFIG_NAME, TENSORS_NAME, CARD_NAME, MANIFEST_NAME = "config.json", "model.safetensors", "CARD.md", "manifest.json"
ROOT_VARIABLE = "LATENT_EDIT_CHECKPOINTS"
CARD_KEYS = ("licence", "data", "recipe")
GET_AGAIN = "get the weights again (git checkout) or train them"
LARGEST_HALF = torch.finfo(torch.float16).max


def default_root() -> Path:
    """The folder of the shipped weights: $LATENT_EDIT_CHECKPOINTS, or those that came with this code."""
    named = os.environ.get(ROOT_VARIABLE)
    return Path(named) if named else SHIPPED / "checkpoints"


def save(folder: Path, config: Mapping[str, Any], tensors: Mapping[str, Tensor], half: bool = True) -> None:
    """Write config.json and model.safetensors into `folder`, each complete or not at all.

    With `half` float32 becomes float16, except where a value is too large for it. The weights that count (for
    `content_hash` as well) are those that `load_tensors` gives back.
    """
    import safetensors.torch

    folder.mkdir(parents=True, exist_ok=True)
    # clone: safetensors refuses tensors that share memory
    stored = {name: _stored(tensor, half).contiguous().clone() for name, tensor in tensors.items()}
    with whole(folder / TENSORS_NAME) as partial:
        safetensors.torch.save_file(stored, partial)
    write_text(folder / CONFIG_NAME, json.dumps(config, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def _stored(tensor: Tensor, half: bool) -> Tensor:
    tensor = tensor.detach().cpu()
    fits = tensor.dtype == torch.float32 and (tensor.numel() == 0 or float(tensor.abs().max()) <= LARGEST_HALF)
    return tensor.half() if half and fits else tensor


def write_card(folder: Path, *, licence: str, data: str, recipe: str, text: str) -> None:
    """Write CARD.md: a YAML head with what the manifest repeats, then `text` (Markdown) for people."""
    import yaml

    head = yaml.safe_dump({"licence": licence, "data": data, "recipe": recipe}, sort_keys=False, allow_unicode=True)
    write_text(folder / CARD_NAME, f"---\n{head}---\n\n{text.strip()}\n")


def load_config(folder: Path) -> dict[str, Any]:
    """config.json of a checkpoint. Raises CheckpointError when it is missing or not JSON."""
    return _read_json(folder / CONFIG_NAME)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing; {GET_AGAIN}") from None
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read as JSON; get the file again ({error})") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path} should hold a JSON object; get the file again")
    return content


def load_tensors(folder: Path, name: str = TENSORS_NAME) -> dict[str, Tensor]:
    """The weights of a checkpoint on the CPU, every floating-point tensor in float32. Raises CheckpointError."""
    import safetensors.torch
    from safetensors import SafetensorError

    path = folder / name
    if not path.is_file():
        raise CheckpointError(f"{path} is missing; {GET_AGAIN}")
    try:
        tensors = safetensors.torch.load_file(path)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path} is damaged; get the file again ({error})") from error
    return {key: tensor.float() if tensor.is_floating_point() else tensor for key, tensor in tensors.items()}


def strict_load(module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Load every tensor and nothing else. Raises CheckpointError naming missing, unexpected or misshapen tensors."""
    expected = module.state_dict()
    misshapen = [name for name in expected.keys() & tensors.keys() if expected[name].shape != tensors[name].shape]
    problems = {
        "missing": sorted(expected.keys() - tensors.keys()),
        "unexpected": sorted(tensors.keys() - expected.keys()),
        "of another shape": sorted(misshapen),
    }
    found = [f"{len(names)} {what} ({_some(names)})" for what, names in problems.items() if names]
    if found:
        kind = type(module).__name__
        raise CheckpointError(f"these weights do not fit {kind}: {'; '.join(found)}; use weights made for this version")
    module.load_state_dict(dict(tensors), strict=True)


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


def content_hash(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 (hex) over the sorted names, types, shapes and bytes: the same weights give it, wherever they lie."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name}|{tensor.dtype}|{tuple(tensor.shape)}|".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def update_manifest(root: Path) -> Path:
    """Write manifest.json anew: for each file of each folder its sha256, size (bytes), licence, data, recipe.

    The last three come from the head of the folder's CARD.md (`write_card`). Raises CheckpointError without one.
    """
    files: dict[str, dict[str, Any]] = {}
    for folder in sorted(path.parent for path in root.glob(f"*/{CONFIG_NAME}")):
        card = _read_card(folder)
        for path in _files(folder):
            files[path.relative_to(root).as_posix()] = {"sha256": _sha256(path), "size": path.stat().st_size, **card}
    manifest = root / MANIFEST_NAME
    write_text(manifest, json.dumps({"files": files}, indent=2, ensure_ascii=False) + "\n")
    return manifest


def _read_card(folder: Path) -> dict[str, str]:
    import yaml

    path = folder / CARD_NAME
    if not path.is_file():
        raise CheckpointError(f"{path} is missing; write one (licence, data and recipe) before the weights are shipped")
    parts = path.read_text(encoding="utf-8").split("---\n", 2)
    head = yaml.safe_load(parts[1]) if len(parts) == 3 and not parts[0] else None
    head = head if isinstance(head, dict) else {}
    absent = [key for key in CARD_KEYS if not head.get(key)]
    if absent:
        raise CheckpointError(f"the head of {path} does not say: {', '.join(absent)}; add it")
    return {key: str(head[key]) for key in CARD_KEYS}


def _files(folder: Path) -> list[Path]:
    """Everything in a checkpoint except hidden files (partial writes among them)."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def verify(folder: Path) -> None:
    """Compare a checkpoint folder with the manifest beside it. Raises CheckpointError naming the file."""
    if not folder.is_dir():
        raise CheckpointError(f"the checkpoint {folder} is missing; {GET_AGAIN}")
    root = folder.parent
    listed = _read_json(root / MANIFEST_NAME).get("files")
    listed = listed if isinstance(listed, dict) else {}
    expected = {name: entry for name, entry in listed.items() if name.startswith(f"{folder.name}/")}
    if not expected:
        raise CheckpointError(f"{folder} is not listed in {root / MANIFEST_NAME}; use a checkpoint that is")
    present = {path.relative_to(root).as_posix() for path in _files(folder)}
    for name in sorted(present - expected.keys()):
        raise CheckpointError(f"{root / name} is not listed in {MANIFEST_NAME}; remove it or list it")
    for name, entry in sorted(expected.items()):
        path = root / name
        if name not in present:
            raise CheckpointError(f"{path} is missing; {GET_AGAIN}")
        if path.stat().st_size != entry["size"] or _sha256(path) != entry["sha256"]:
            raise CheckpointError(f"{path} was changed (its sha256 is not the manifest's); get the file again")
