"""Presets: every one is valid, an unknown key never is, and mistakes are named."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from latent_edit.bridge import BridgeConfig
from latent_edit.config import PRESETS, StrictModel, load_preset, load_styles, preset_prompts, read_yaml
from latent_edit.errors import InputError
from latent_edit.training.vits_config import VitsTrainingConfig

BRIDGES = sorted(path.stem for path in (PRESETS / "bridge").glob("*.yaml"))


class Cake(StrictModel):
    """What the files of these tests describe."""

    layers: int
    icing: str = "none"


@pytest.mark.parametrize("name", BRIDGES)
def test_every_bridge_is_a_valid_method(name: str) -> None:
    config = load_preset(BridgeConfig, "bridge", name)
    given = read_yaml(PRESETS / "bridge" / f"{name}.yaml")
    assert config.model_dump(include=set(given) - {"training"}, mode="json") == {
        key: value for key, value in given.items() if key != "training"
    }
    assert config.title
    assert config.diffusion() is not None


def test_the_shipped_methods_are_there() -> None:
    assert {"i2sb", "paper-i2sb", "paper-palette"} <= set(BRIDGES)
    papers = [load_preset(BridgeConfig, "bridge", name) for name in ("paper-i2sb", "paper-palette")]
    assert [(config.pairing, config.network, config.normalise) for config in papers] == 2 * [
        ({"paper": 1}, "image", False)
    ]


def test_the_voice_preset() -> None:
    config = load_preset(VitsTrainingConfig, "vits", "mini")
    assert list(config.stages) == ["neutral", "styled", "text", "decoder"]
    trained = [stage.train for stage in config.stages.values()]
    assert trained == ["all", "posterior_and_decoder", "text_side", "decoder"]
    assert config.stage("styled").styled_share == 0.5
    with pytest.raises(InputError, match="there is no stage 'late'; known: neutral, styled, text, decoder"):
        config.stage("late")


def test_a_path_is_a_preset_too(tmp_path: Path) -> None:
    (tmp_path / "cake.yaml").write_text("layers: 3", encoding="utf-8")
    assert load_preset(Cake, "vits", str(tmp_path / "cake.yaml")) == Cake(layers=3)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("layers: 3\nicingg: blue", r"cake\.yaml is not a valid Cake: icingg: Extra inputs are not permitted"),
        ("layers: many", "layers: Input should be a valid integer"),
        ("icing: blue", "layers: Field required"),
        ("layers: many\nsize: 3", "layers: .*; size: "),
        ("[1, 2]", "is not a valid Cake"),
        ("", "is not a valid Cake"),
        ("layers: [3", r"cake\.yaml is not YAML"),
        ("layers:\t3\n\t- x", r"cake\.yaml is not YAML"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "cake.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        load_preset(Cake, "vits", str(path))


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "cake.yaml").write_bytes(b"\xff\xfe\x00layers")
    with pytest.raises(InputError, match="is not YAML"):
        load_preset(Cake, "vits", str(tmp_path / "cake.yaml"))


@pytest.mark.parametrize("name", ["i2sbb", "", "missing.yaml", "../config"])
def test_an_unknown_preset_lists_the_known_ones(name: str) -> None:
    with pytest.raises(InputError, match=f"there is no bridge preset .*known: {', '.join(BRIDGES)}"):
        load_preset(Cake, "bridge", name)


def test_a_configuration_is_frozen() -> None:
    cake = Cake(layers=3)
    with pytest.raises(ValidationError, match="frozen"):
        cake.layers = 4  # type: ignore[misc]


def test_styles_are_read_in_the_pages_order() -> None:
    assert preset_prompts()[0] == "a whisper"
    assert len(preset_prompts()) == 12
    assert load_styles()["speak normally"] == {}
    assert load_styles()["a whisper"]["breathiness"] == 1.0
