"""Checkpoints: written whole, verified by hash, loaded strictly."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from latent_edit import checkpoint
from latent_edit.errors import CheckpointError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "root" / "thing"
    checkpoint.save(folder, {"size": 3}, {"weight": torch.arange(6.0).reshape(2, 3) / 7, "count": torch.tensor(5)})
    checkpoint.write_card(folder, licence="MIT", data="none: made up", recipe="arange", text="# Thing")
    checkpoint.update_manifest(folder.parent)
    return folder


def test_half_on_disk_is_float32_in_memory(folder: Path) -> None:
    from safetensors import safe_open

    with safe_open(folder / "model.safetensors", "pt") as file:
        assert file.get_tensor("weight").dtype == torch.float16
    tensors = checkpoint.load_tensors(folder)
    assert tensors["weight"].dtype == torch.float32
    assert tensors["count"].dtype == torch.int64
    torch.testing.assert_close(tensors["weight"], torch.arange(6.0).reshape(2, 3) / 7, atol=5e-4, rtol=0)
    assert checkpoint.load_config(folder) == {"size": 3}


def test_values_too_large_for_half_stay_float32(tmp_path: Path) -> None:
    large = torch.tensor([1.0, 70_000.123])
    checkpoint.save(tmp_path, {}, {"large": large, "empty": torch.zeros(0)})
    assert torch.equal(checkpoint.load_tensors(tmp_path)["large"], large)


def test_tensors_that_share_memory_are_saved(tmp_path: Path) -> None:
    shared = torch.randn(4)
    checkpoint.save(tmp_path, {}, {"a": shared, "b": shared, "c": shared.view(2, 2).t()}, half=False)
    loaded = checkpoint.load_tensors(tmp_path)
    assert torch.equal(loaded["a"], loaded["b"])
    assert torch.equal(loaded["c"], shared.view(2, 2).t())


def test_saving_again_gives_the_same_bytes_and_leaves_no_scraps(folder: Path) -> None:
    before = (folder / "model.safetensors").read_bytes()
    checkpoint.save(folder, checkpoint.load_config(folder), checkpoint.load_tensors(folder))
    assert (folder / "model.safetensors").read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == ["CARD.md", "config.json", "model.safetensors"]


def test_manifest_lists_every_file_with_its_origin(folder: Path) -> None:
    files = json.loads((folder.parent / "manifest.json").read_text())["files"]
    assert sorted(files) == ["thing/CARD.md", "thing/config.json", "thing/model.safetensors"]
    entry = files["thing/model.safetensors"]
    assert entry["size"] == (folder / "model.safetensors").stat().st_size
    assert (entry["licence"], entry["data"], entry["recipe"]) == ("MIT", "none: made up", "arange")
    checkpoint.verify(folder)


def test_one_changed_byte_is_found_and_named(folder: Path) -> None:
    path = folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"thing/model\.safetensors was changed .* get the file again"):
        checkpoint.verify(folder)


def test_missing_and_unlisted_files_are_named(folder: Path) -> None:
    (folder / "extra.safetensors").write_bytes(b"x")
    with pytest.raises(CheckpointError, match=r"extra\.safetensors is not listed"):
        checkpoint.verify(folder)
    (folder / "extra.safetensors").unlink()
    (folder / "config.json").unlink()
    with pytest.raises(CheckpointError, match=r"thing/config\.json is missing"):
        checkpoint.verify(folder)
    with pytest.raises(CheckpointError, match="other is missing"):
        checkpoint.verify(folder.parent / "other")


def test_a_folder_outside_the_manifest_is_refused(folder: Path) -> None:
    checkpoint.save(folder.parent / "new", {}, {"a": torch.zeros(1)})
    with pytest.raises(CheckpointError, match=r"new is not listed in .*manifest\.json"):
        checkpoint.verify(folder.parent / "new")
    (folder.parent / "manifest.json").unlink()
    with pytest.raises(CheckpointError, match=r"manifest\.json is missing"):
        checkpoint.verify(folder)


@pytest.mark.parametrize("manifest", ["[]", "{not json", '{"files": []}', '{"files": {"thing/config.json": 3}}'])
def test_a_damaged_manifest_is_a_checkpoint_error(folder: Path, manifest: str) -> None:
    (folder.parent / "manifest.json").write_text(manifest)
    with pytest.raises(CheckpointError):
        checkpoint.verify(folder)


def test_a_manifest_needs_complete_cards(folder: Path) -> None:
    (folder / "CARD.md").write_text("---\nlicence: MIT\n---\nno data, no recipe\n")
    with pytest.raises(CheckpointError, match="does not say: data, recipe"):
        checkpoint.update_manifest(folder.parent)
    (folder / "CARD.md").unlink()
    with pytest.raises(CheckpointError, match=r"CARD\.md is missing"):
        checkpoint.update_manifest(folder.parent)


def test_missing_and_damaged_weights_are_named(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(CheckpointError, match=r"model\.safetensors is damaged"):
        checkpoint.load_tensors(folder)
    path.unlink()
    with pytest.raises(CheckpointError, match=r"model\.safetensors is missing"):
        checkpoint.load_tensors(folder)
    (folder / "config.json").write_text("{")
    with pytest.raises(CheckpointError, match=r"config\.json cannot be read"):
        checkpoint.load_config(folder)


def test_strict_load_names_what_does_not_fit() -> None:
    good = {"weight": torch.ones(2, 3), "bias": torch.ones(2)}
    module = nn.Linear(3, 2)
    checkpoint.strict_load(module, good)
    assert torch.equal(module.bias, torch.ones(2))
    for tensors, complaint in (
        ({"weight": good["weight"]}, r"1 missing \(bias\)"),
        ({**good, "other": torch.ones(1)}, r"1 unexpected \(other\)"),
        ({**good, "bias": torch.ones(3)}, r"1 of another shape \(bias\)"),
    ):
        untouched = nn.Linear(3, 2)
        weight = untouched.weight.clone()
        with pytest.raises(CheckpointError, match=complaint):
            checkpoint.strict_load(untouched, tensors)
        assert torch.equal(untouched.weight, weight)


def test_content_hash_sees_names_types_shapes_and_bytes() -> None:
    tensors = {"a": torch.arange(4.0), "b": torch.zeros(2, 3)}
    digest = checkpoint.content_hash(tensors)
    assert len(digest) == 64
    assert checkpoint.content_hash(dict(reversed(tensors.items()))) == digest
    assert checkpoint.content_hash({"a": torch.arange(8.0)[:4], "b": torch.zeros(3, 2).t()}) == digest
    changed = torch.arange(4.0)
    changed[0] = -0.0  # equal to 0.0, but other bytes
    for other in (
        {"a": tensors["a"], "c": tensors["b"]},
        {**tensors, "a": tensors["a"].double()},
        {**tensors, "b": torch.zeros(3, 2)},
        {**tensors, "a": changed},
        {"a": tensors["a"]},
    ):
        assert checkpoint.content_hash(other) != digest


def test_content_hash_of_scalars_and_bfloat16() -> None:
    assert checkpoint.content_hash({"a": torch.tensor(1.0)}) != checkpoint.content_hash({"a": torch.tensor(2.0)})
    assert checkpoint.content_hash({"a": torch.ones(2, dtype=torch.bfloat16)})


def test_the_root_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LATENT_EDIT_CHECKPOINTS", raising=False)
    assert checkpoint.default_root() == Path(__file__).resolve().parent.parent / "checkpoints"
    monkeypatch.setenv("LATENT_EDIT_CHECKPOINTS", str(tmp_path))
    assert checkpoint.default_root() == tmp_path


def test_an_installed_package_has_its_weights_inside(tmp_path: Path) -> None:
    package = Path(checkpoint.__file__).parent
    shutil.copytree(package, tmp_path / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / package.name / "shipped" / "checkpoints").mkdir(parents=True)
    code = "from latent_edit.checkpoint import default_root; print(default_root())"
    environment = {name: value for name, value in os.environ.items() if name != checkpoint.ROOT_VARIABLE}
    found = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert Path(found.stdout.strip()) == tmp_path / package.name / "shipped" / "checkpoints", found.stderr
