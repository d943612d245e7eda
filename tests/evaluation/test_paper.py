"""The paper's methods side by side: rows are data, added one by one, and compared edit by edit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import make_tiny_bridge
from tiny_bridges import configuration, tiny_latents
from tiny_voices import tiny_voice

from latent_edit import suites
from latent_edit.bridge import BridgeConfig, load_bridge
from latent_edit.editor import LatentEditor
from latent_edit.errors import InputError
from latent_edit.evaluation.comparison import Figure
from latent_edit.evaluation.paper import paper_rows
from latent_edit.evaluation.paper import suite as paper
from latent_edit.evaluation.paper.paper_report import (
    FOREST,
    PAGE,
    TRADE_OFF,
    UNLIKE,
    VALIDATION,
    budget,
    page,
    validation,
    value,
    write_pictures,
)
from latent_edit.evaluation.paper.paper_rows import PROGRESS, WORDS, Judged, PaperData, load_suite
from latent_edit.evaluation.paper.suite import PaperRun, Trained, evaluate_paper
from latent_edit.evaluation.paper.variety import f0_variety
from latent_edit.evaluation.report import OLD
from latent_edit.models.vits import freeze
from latent_edit.request import EditRequest

SUITE = load_suite()
REQUEST = EditRequest(text="A calm morning.", voice="anna", prompt="angry", correction=False, steps=4)


def leaves(values: Any, name: str = "") -> dict[str, Any]:
    if not isinstance(values, dict) or name in ("pairing", "condition"):
        return {name: values}
    return {
        leaf: found for key, own in values.items() for leaf, found in leaves(own, f"{name}.{key}".strip(".")).items()
    }


# -- rows are data ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SUITE.rows)
def test_each_row_is_a_method(name: str) -> None:
    row = SUITE.rows[name]
    assert SUITE.rows[row.against].against == row.against or row.group.startswith("guidance")
    config = SUITE.config(name, {})
    assert (config is None) == (row.shipped is not None)
    if config is not None:
        longer = SUITE.config(name, {"steps": 50_000, "batch_size": 64})
        assert longer is not None and (longer.training.steps, longer.training.batch_size) == (50_000, 64)


@pytest.mark.parametrize("name", [n for n, row in SUITE.rows.items() if row.group == "one change from the default"])
def test_one_change_is_one_change(name: str) -> None:
    """And what it cannot do without: everything that differs from the default is named by the row."""
    default, row = SUITE.config("default", {}), SUITE.config(name, {})
    assert default is not None and row is not None
    own, usual = (leaves(config.model_dump()) for config in (row, default))
    changed = {leaf for leaf in own if own[leaf] != usual[leaf]}
    assert changed == set(leaves(SUITE.rows[name].change)) and changed


def test_rows_of_the_paper_are_the_papers() -> None:
    configs = {name: SUITE.config(name, {}) for name in ("i2sb-paper", "i2sb-code", "palette-paper")}
    for config in configs.values():
        assert config is not None and config.network == "image" and not config.training.masked_loss
        assert not config.normalise and config.pairing == {"paper": 1.0}
    code = configs["i2sb-code"]
    assert code is not None and code.source_space == "pre_flow" and code.shows_length and code.predicts == "label"


def test_a_wrong_row_is_named() -> None:
    with pytest.raises(InputError, match="there is no row 'defualt'; did you mean 'default'"):
        SUITE.chosen(["defualt"])
    with pytest.raises(InputError, match=r"a row from i2sb is not a valid BridgeConfig: colour"):
        paper_rows.SuiteRow(group="", about="", change={"colour": "red"}).config({})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"suite": "paper", "test": True}, "--test is for --suite embedded, not for paper: leave it out"),
        ({"suite": "paper", "preservation": 3}, "--preservation is for --suite embedded, not for paper"),
        ({"steps": 3}, "--steps is for --suite paper, not for embedded"),
        ({"rows": ["default"]}, "--rows is for --suite paper"),
        ({"suite": "human-pair", "quick": True}, "--quick is for .*, not for human-pair"),
        ({"suite": "acted-pairs", "workers": 2}, "--workers is for .*, not for acted-pairs"),
    ],
)
def test_options_of_another_suite_are_refused(arguments: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words):
        suites.evaluate(**arguments, runs=tmp_path)
    assert list(tmp_path.iterdir()) == []


# -- a run -----------------------------------------------------------------------------------------------------------


def spent(**changes: Any) -> dict[str, Any]:
    usual = {"steps": 2, "batch_size": 6, "seconds": 9, "device": "a CPU", "examples": 7, "recordings": 3}
    return {**usual, "image": False, **changes}


class Trainer:
    """Gives every row the tiny bridge of its method, and counts."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.trained: list[str] = []

    def __call__(self, name: str, config: BridgeConfig) -> Trained:
        self.trained.append(name)
        took = spent(steps=config.training.steps, batch_size=config.training.batch_size)
        return Trained(self.root / f"bridge-{config.method}", took)


@pytest.fixture
def cheap_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Words are lost at random places, more by other rows than the default."""

    def lost(_: object, trial: Any, clip: Any) -> tuple[float, float]:
        hard = len(trial.edit.text) % 5
        return hard + 2.0 * (clip.request.method != "default"), 10.0

    monkeypatch.setattr(paper, "figures", lambda: [Figure(WORDS, "points", lost)])
    monkeypatch.setattr(paper, "presets", lambda: {"an angry shout": "an angry shout", "excited": "excited"})


@pytest.fixture
def run(tmp_path: Path) -> PaperRun:
    return PaperRun(["default"], {}, tmp_path / "cache", tmp_path, tmp_path / "R.md", tmp_path / "pictures", 2)


@pytest.mark.usefixtures("cheap_judges")
def test_rows_are_added_one_by_one(tiny_root: Path, run: PaperRun) -> None:
    from dataclasses import replace

    editor, train, told = LatentEditor.load(tiny_root), Trainer(tiny_root), []
    run.results.write_text("# Results\n\nof another suite\n", encoding="utf-8")
    evaluate_paper(editor, run, train, told.append)
    both = evaluate_paper(editor, replace(run, rows=["default", "OT-ODE"]), train, told.append)
    assert train.trained == ["default", "OT-ODE"] and "default: judged already" in told
    assert list(both.rows) == ["default", "OT-ODE"] and len(both.trials) == 4
    paired = value(both, "OT-ODE", WORDS, "default")
    assert [paired.value, paired.low, paired.high] == pytest.approx([0.2] * 3)
    assert paper_rows.read_data(run.data / paper_rows.DATA_NAME) == both
    text = run.results.read_text(encoding="utf-8")
    assert text.startswith("# Results\n\nof another suite\n") and text.count("## The paper's methods") == 1
    rows = run.results.with_name(PAGE).read_text(encoding="utf-8")
    assert "*+20.0 points (+20.0 points to +20.0 points)*" in rows and "200 steps of 6, 9 s on a CPU" in rows
    assert {path.name for path in run.pictures.iterdir()} == {TRADE_OFF, FOREST}
    evaluate_paper(editor, replace(run, training={"steps": 800}), train, told.append)
    shipped = replace(run, rows=["shipped"])
    evaluate_paper(editor, shipped, train, told.append)
    editor.bridges["i2sb"].hash = "another"
    told.clear()
    evaluate_paper(editor, shipped, train, told.append)
    assert told == ["shipped: judging 4 edits"]
    evaluate_paper(editor, run, train, told.append)  # what was trained for longer is not trained anew for less
    assert train.trained[2:] == ["default"]
    with pytest.raises(InputError, match="judged on other edits"):
        evaluate_paper(editor, replace(run, combinations=1), train, told.append)


def test_what_cannot_be_compared_is_marked() -> None:
    values: dict[str, Any] = {WORDS: [(1.0, 4.0)], PROGRESS: [None]}
    rows = {
        name: Judged(settings={}, spent=spent(steps=steps), hashes={}, values=values)
        for name, steps in (("default", 2), ("OT-ODE", 2), ("label", 3), ("regression", 2))
    }
    data = PaperData(trials=[("anna", "A text.", "excited")], rows=rows)
    text = page(SUITE, data, ["regression"])
    for row in ("`default`", "`OT-ODE`", f"`label` {UNLIKE}", f"`regression` {OLD}"):
        assert f"| {row} |" in text
    assert "+25.0 points" in text and "`i2sb-paper`" in text.splitlines()[-1]


def test_a_row_is_old_where_its_preset_or_its_weights_have_changed() -> None:
    settings, weights = SUITE.settings("default", {}), {"voice": "a"}
    judged = Judged(settings=settings, spent={}, hashes={**weights, "code": "c"}, values={})
    longer = SUITE.settings("default", {"steps": 50_000})
    other = SUITE.settings("OT-ODE", {})["trained"]
    assert judged.made_with(settings, weights, any_budget=False)
    assert judged.made_with(longer, weights, any_budget=True) and not judged.made_with(longer, weights, False)
    assert not judged.made_with({**settings, "trained": other}, weights, any_budget=True)
    assert not judged.made_with(settings, {"voice": "b"}, any_budget=True)


def test_a_training_shorter_than_the_papers_is_called_so() -> None:
    whole = spent(steps=50_000, batch_size=64)
    assert budget({**whole, "image": True}).startswith("50,000 steps of 64")
    assert budget({**whole, "image": True, "batch_size": 32}).startswith("budget-limited: 50,000 steps of 32")
    assert budget({}) == "as shipped"


# -- validation ------------------------------------------------------------------------------------------------------


def test_a_row_keeps_its_validation_losses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    latents = tiny_latents()
    monkeypatch.setattr(suites, "prepared_latents", lambda *_: (latents, freeze(tiny_voice())))
    config = configuration(training={"steps": 20, "batch_size": 4})
    spent = suites._train_row(tmp_path, tmp_path, "default", config).spent
    assert [step for step, _ in spent["validation"]] == list(range(0, 21, 2))
    assert len({loss for _, loss in spent["validation"]}) == 11
    assert (spent["examples"], spent["recordings"]) == (13, 5)  # without one of five sentences
    data = PaperData(trials=[], rows={"default": Judged(settings={}, spent=spent, hashes={}, values={})})
    paper_rows.write_data(tmp_path / "data.json", data)
    assert paper_rows.read_data(tmp_path / "data.json") == data


@pytest.mark.parametrize("image", [True, False])
def test_curves_are_shown_of_image_rows_that_have_one(image: bool, tmp_path: Path) -> None:
    curve = [[0, 4.0], [2, 1.0]]
    known: dict[str, Any] = {"i2sb-paper": {"validation": curve}, "palette-paper": {}, "i2sb-code": {"validation": []}}
    rows = {
        name: Judged(settings={}, spent=spent(image=image, **own), hashes={}, values={}) for name, own in known.items()
    }
    data = PaperData(trials=[], rows=rows)
    write_pictures(data, tmp_path)
    assert (tmp_path / VALIDATION).is_file() == image
    assert page(SUITE, data, []).count(VALIDATION) == image
    if image:
        drawn = (tmp_path / VALIDATION).read_text(encoding="utf-8")
        assert "i2sb-paper" in drawn and "palette-paper" not in drawn and "i2sb-code" not in drawn


def test_each_curve_begins_at_one() -> None:
    figure = validation({"i2sb-paper": [[0, 4.0], [2, 1.0]], "palette-paper": [[0, 0.5], [2, 0.6]]})
    one, other, _ = figure.axes[0].lines
    assert np.asarray(one.get_xydata()).tolist() == [[0, 1], [2, 0.25]]
    assert np.asarray(other.get_xydata()).tolist() == [[0, 1], [2, 1.2]]


# -- several samples of one request ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "draws"), [("i2sb", True), ("palette", True), ("regression", False)])
def test_what_draws_gives_other_samples(method: str, draws: bool, tiny_root: Path, tmp_path: Path) -> None:
    for name in ("vits-mini", "clap-mini"):
        (tmp_path / name).symlink_to(tiny_root / name)
    make_tiny_bridge(tmp_path, method)
    tiny = LatentEditor.load(tiny_root)
    bridge = load_bridge(tmp_path / f"bridge-{method}", tiny.vits, tiny.style_encoder)
    editor = LatentEditor(tiny.vits, tiny.style_encoder, {method: bridge})
    request = EditRequest(**{**REQUEST.to_dict(), "method": method})
    first, *others = editor.samples(request, 3)
    for same, drawn in [(editor.samples(request, 1)[0], False), *((other, draws) for other in others)]:
        assert same.z.shape == first.z.shape
        assert torch.allclose(same.z, first.z, atol=1e-4) != drawn


def test_variety_is_of_the_shape_of_f0(monkeypatch: pytest.MonkeyPatch) -> None:
    """Contours that differ in their level alone are all the same."""
    swing = torch.sin(torch.linspace(0, 6, 40))

    def variety(contours: torch.Tensor) -> float | None:
        class Decoder:
            @staticmethod
            def of(*_: object) -> Decoder:
                return Decoder()

            def f0(self, z: torch.Tensor) -> torch.Tensor:
                return z

        class Editor:
            vits = None

            def samples(self, _: EditRequest, count: int) -> list[Any]:
                return [type("Latent", (), {"z": contour[None]}) for contour in contours[:count]]

        monkeypatch.setattr("latent_edit.optimize.decoder_params.SpeakerDecoder", Decoder)
        editor: Any = Editor()
        return f0_variety(editor, REQUEST)

    level = 100 * 2 ** (torch.arange(4)[:, None] / 12) * 2 ** (swing / 12)
    assert variety(level) == pytest.approx(0, abs=1e-4)
    depth = torch.tensor([-1.0, -1.0, 1.0, 1.0])[:, None] * (swing - swing.mean())
    assert variety(100 * 2 ** (depth / 12)) == pytest.approx(float((swing.var(correction=0) * 4 / 3).sqrt()), rel=1e-3)
    assert variety(torch.zeros(4, 40)) is None
