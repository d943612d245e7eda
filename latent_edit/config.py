"""Strict configuration: pydantic models read from YAML presets. An unknown key is an error, never ignored."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from latent_edit.errors import InputError

PACKAGE = Path(__file__).resolve().parent
PRESETS = PACKAGE / "presets"
# app.py, checkpoints/, assets/ and the texts: inside an installed package (pyproject.toml), beside it in a checkout.
SHIPPED = PACKAGE / "shipped" if (PACKAGE / "shipped").is_dir() else PACKAGE.parent


class StrictModel(BaseModel):
    """A frozen configuration that rejects unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


ModelT = TypeVar("ModelT", bound=StrictModel)


def read_yaml(path: Path) -> Any:
    """Content of a YAML file."""
    import yaml

    return yaml.safe_load(path.read_text(encoding="utf-8"))


def load_preset(model: type[ModelT], kind: str, name: str) -> ModelT:
    """The preset `name` (a file of `presets/KIND/`, or a path to a YAML file) as a validated `model`.

    Raises InputError that names the preset and each field that is wrong.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else PRESETS / kind / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in (PRESETS / kind).glob("*.yaml")))
        raise InputError(f"there is no {kind} preset {name!r}; known: {known}, or give the path of a YAML file")
    import yaml

    try:
        content = read_yaml(path)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"preset {path.name} is not YAML: {' '.join(str(error).split())}") from None
    return validated(model, content, f"preset {path.name}")


def validated(model: type[ModelT], content: Any, name: str) -> ModelT:
    """`content` as a `model`. Raises InputError that calls it `name` and names each field that is wrong."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise InputError(f"{name} is not a valid {model.__name__}: {problems(error)}") from None


def problems(error: ValidationError) -> str:
    """Each field that is wrong, in one line."""
    return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())


@lru_cache(maxsize=1)
def load_styles() -> dict[str, dict[str, float]]:
    """The named styles of the page: prompt -> axis values (see `data.styles.Style`)."""
    return {prompt: dict(axes or {}) for prompt, axes in read_yaml(PRESETS / "styles.yaml").items()}


def preset_prompts() -> list[str]:
    """Prompts of the named styles, in the order in which the page shows them."""
    return list(load_styles())
