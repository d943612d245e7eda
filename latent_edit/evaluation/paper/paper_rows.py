"""The rows of the suite `paper` as data: what is trained and asked for, and what judges said of every edit.

Rows are in presets/paper-suite.yaml. What the judges said is kept in checkpoints/paper-suite.json, so that rows can be
added on another day, by another machine, and still be compared edit by edit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from latent_edit.bridge import BridgeConfig
from latent_edit.config import PRESETS, StrictModel, read_yaml, validated
from latent_edit.evaluation.statistics import Observation
from latent_edit.files import write_text
from latent_edit.request import choose

if TYPE_CHECKING:
    from latent_edit.editor import LatentEditor

DATA_NAME = "paper-suite.json"
WORDS, PROGRESS, SUCCESS = "words lost (Moonshine)", "progress on the axes", "success on the axes"
VOICE, VARIETY = "same voice, cosine", "F0 variety over samples"
Values = list["tuple[float, float] | None"]


# What a budget may change of a training: a row that was trained for longer, or wider, is still that row.
BUDGET = ("width", "depth", "steps", "batch_size", "warmup_steps", "learning_rate")


class SuiteRow(StrictModel):
    """One row. change: fields of the preset `base` with other values. budget: likewise, what makes it small.

    trained_as: another row, whose training is judged. shipped: a method of the shipped weights that is judged instead
    of a training. guidance, sampler_steps: of the edits. against: the row whose edits its own are compared with; one
    that names itself is compared with none.
    """

    group: str
    about: str
    base: str = "i2sb"
    change: dict[str, Any] = Field(default_factory=dict)
    budget: dict[str, Any] = Field(default_factory=dict)
    trained_as: str | None = None
    shipped: str | None = None
    guidance: float = 1.0
    sampler_steps: int = 10
    against: str = "default"

    def weights(self, editor: LatentEditor) -> dict[str, str]:
        """Hashes of what is not trained for this row, and whose exchange makes it an old one."""
        shipped = {"bridge": editor.bridge(self.shipped).hash} if self.shipped else {}
        return {"voice": editor.vits.hash, "style_encoder": editor.style_encoder.hash, **shipped}

    @property
    def definition(self) -> dict[str, Any]:
        """What decides what is judged, apart from the budget; a field that is added later changes no earlier row."""
        return self.model_dump(mode="json", exclude={"group", "about", "budget", "against"}, exclude_defaults=True)

    def config(self, budget: Mapping[str, Any]) -> BridgeConfig:
        """What is trained for this row in a budget. Raises InputError that names each field that is wrong."""
        parts = [read_yaml(PRESETS / "bridge" / f"{self.base}.yaml"), self.change, budget]
        training = {name: value for part in parts for name, value in part.get("training", {}).items()}
        fields = {name: value for part in parts for name, value in part.items()}
        return validated(BridgeConfig, {**fields, "training": training}, f"a row from {self.base}")


class PaperSuite(StrictModel):
    """All rows by name. budget: of each row that has none of its own."""

    budget: dict[str, Any]
    rows: dict[str, SuiteRow] = Field(min_length=1)

    def chosen(self, names: Sequence[str]) -> dict[str, SuiteRow]:
        """These rows, or all. Raises InputError for a name that is not known."""
        return {name: self.rows[choose("row", name, self.rows)] for name in names} or self.rows

    def config(self, name: str, asked: Mapping[str, int]) -> BridgeConfig | None:
        """What is trained for a row, in its budget or in the training asked for; None for a shipped bridge."""
        row = self.rows[self.rows[name].trained_as or name]
        if row.shipped:
            return None
        return row.config({"training": asked} if asked else row.budget or self.budget)

    def settings(self, name: str, asked: Mapping[str, int]) -> dict[str, Any]:
        """Of `Judged`, for a row as it would be made today."""
        config = self.config(name, asked)
        trained = config and config.model_dump(mode="json", exclude={"title"})
        return {"row": self.rows[name].definition, "trained": trained}


def load_suite() -> PaperSuite:
    """The suite of presets/paper-suite.yaml."""
    return validated(PaperSuite, read_yaml(PRESETS / "paper-suite.yaml"), "paper-suite.yaml")


class Judged(StrictModel):
    """What is known of one row. values: figure -> value and weight for each trial, None where it cannot be measured.

    settings: definition of the row, and all that it was trained with (None: a shipped bridge). spent: what training
    took, by name; "validation", which older rows lack: [step, denoising loss on held-out sentences] on the way. hashes:
    of all weights and the code that the edits were made with.
    """

    settings: dict[str, Any]
    spent: dict[str, Any]
    hashes: dict[str, str]
    values: dict[str, Values]

    def made_with(self, settings: Mapping[str, Any], weights: Mapping[str, str], any_budget: bool) -> bool:
        """Whether it is what these settings and weights would give; with any budget, however long it was trained."""
        own, other = self.settings, settings
        if any_budget:
            own, other = (_without_budget(each) for each in (own, other))
        return own == other and weights.items() <= self.hashes.items()


def _without_budget(settings: Any) -> Any:
    """Nested settings without what a budget may change."""
    if not isinstance(settings, Mapping):
        return settings
    return {name: _without_budget(value) for name, value in settings.items() if name not in BUDGET}


class PaperData(StrictModel):
    """trials: voice, text and prompt of each edit, the same for every row."""

    trials: list[tuple[str, str, str]]
    rows: dict[str, Judged]

    def observations(self, row: str, figure: str) -> list[Observation | None]:
        """Of every trial, in their order."""
        found = self.rows[row].values.get(figure, [None] * len(self.trials))
        return [
            None if pair is None else Observation(pair[0], text, voice, pair[1])
            for (voice, text, _), pair in zip(self.trials, found, strict=True)
        ]


def read_data(path: Path) -> PaperData | None:
    """What earlier runs left; None where there was none."""
    return PaperData.model_validate_json(path.read_text(encoding="utf-8")) if path.is_file() else None


def write_data(path: Path, data: PaperData) -> None:
    """Keep it for the next run, one row in one line."""
    rows = ",\n".join(f"{json.dumps(name)}: {row.model_dump_json()}" for name, row in data.rows.items())
    write_text(path, f'{{"trials": {json.dumps(data.trials, ensure_ascii=False)},\n"rows": {{\n{rows}\n}}}}\n')
