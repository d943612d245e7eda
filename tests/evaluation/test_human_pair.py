"""The human pair: frames are compared where they correspond, and the report keeps its table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_bridges import configuration

from latent_edit.bridge import Bridge
from latent_edit.data.corpora import Utterance
from latent_edit.data.styles import Style
from latent_edit.data.takes import TakePair
from latent_edit.evaluation import report
from latent_edit.evaluation.rows import Row
from latent_edit.evaluation.sections import TAKES, write_sections
from latent_edit.evaluation.statistics import Estimate
from latent_edit.evaluation.takes import human_pair, take_frames
from latent_edit.evaluation.takes.human_pair import FIGURES, IDENTITY, LATENT_SYSTEMS, PLAIN, TITLE, Learnt
from latent_edit.types import Latent

PAIR = TakePair(*(Utterance(Path(f"{name}.wav"), name, "hi", "") for name in ("sam_a", "sam_b")), "sam_b", "sam_a")


def contour(frames: int = 100) -> np.ndarray:
    """Voiced frames whose F0 rises and falls, louder in the middle; [F, 25]."""
    time = np.linspace(0, 1, frames)
    mel = np.repeat(2 * np.sin(np.pi * time)[:, None], take_frames.MEL_BANDS, axis=1)
    return np.column_stack([90 + 3 * np.sin(2 * np.pi * time), mel])


def test_a_take_is_no_distance_from_itself() -> None:
    found = take_frames.distances(contour(), contour())
    assert found == pytest.approx(
        {"f0_shape": 1, "f0_slow_shape": 1, "energy_shape": 1, "f0_median": 0, "f0_range": 0, "log_mel": 0}
    )


def test_shape_knows_neither_register_nor_range_which_have_figures_of_their_own() -> None:
    other = contour()
    other[:, 0] = 100 + 2 * (other[:, 0] - 90)
    other[:, 1:] += 0.5
    found = take_frames.distances(other, contour())
    assert found["f0_shape"] == pytest.approx(1)
    assert found["f0_median"] == pytest.approx(10, abs=0.2)
    assert found["f0_range"] == pytest.approx(np.diff(np.percentile(contour()[:, 0], [10, 90]))[0], abs=0.1)
    assert found["log_mel"] == pytest.approx(0.5)
    backwards = contour()
    backwards[:, 0] = backwards[::-1, 0]
    assert take_frames.distances(backwards, contour())["f0_shape"] == pytest.approx(-1)


def test_the_slow_shape_does_not_count_missing_detail() -> None:
    lively, smooth = contour(), contour()
    lively[:, 0] += np.where(np.arange(len(lively)) % 2, 2.0, -2.0)
    found = take_frames.distances(smooth, lively)
    assert found["f0_shape"] < 0.8
    assert found["f0_slow_shape"] > 0.95


def test_what_is_hardly_voiced_has_no_f0() -> None:
    whispered = contour()
    whispered[10:, 0] = 0.0
    assert take_frames.distances(whispered, contour()).keys() == {"energy_shape", "log_mel"}


def test_frames_of_a_clip_have_f0_and_energy_on_one_grid() -> None:
    time = np.arange(16_000) / 16_000
    voice = np.sum([np.sin(2 * np.pi * 150 * h * time) / h for h in range(1, 12)], axis=0) * 0.1
    found = take_frames.frames(voice.astype(np.float32), 16_000)
    assert found.shape[1] == 1 + take_frames.MEL_BANDS
    assert abs(len(found) - 16_000 / take_frames.HOP) <= 2
    assert np.median(found[:, 0][found[:, 0] > 0]) == pytest.approx(12 * np.log2(150), abs=0.3)


def test_stretched_frames_find_their_phonemes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    durations = (torch.tensor([10.0, 20.0, 10.0]), torch.tensor([20.0, 10.0, 30.0]))
    monkeypatch.setattr(human_pair, "_durations", lambda *_: durations)
    # A plain take that a system has made twice as long, against the true one.
    places = human_pair._corresponding(None, PAIR, True, 80, 60)  # type: ignore[arg-type]
    phoneme = np.searchsorted([20, 60, 80], places, side="right")
    assert phoneme.tolist() == [0] * 20 + [1] * 10 + [2] * 30
    assert human_pair._corresponding(None, PAIR, False, 60, 60).tolist() == list(range(60))  # type: ignore[arg-type]


def test_controls_change_the_latent_as_they_say() -> None:
    bridge = Bridge(configuration(pairing={"takes": 1.0}, condition={"other_clip": 1.0}), 4, 6, 4)
    learnt = Learnt(bridge, torch.ones(1, 6), torch.full((4, 1), 2.0), float(np.log(1.5)), Style())
    latent = Latent(torch.ones(1, 4, 10), torch.ones(1, 1, 10))
    made = {
        name: change(None, learnt, latent) for name, (_, change, _) in LATENT_SYSTEMS.items() if "bridge" not in name
    }  # type: ignore[arg-type]
    assert torch.equal(made["mean change of the latent"].z, torch.full((1, 4, 15), 3.0))
    assert made[IDENTITY] is latent


def test_everything_but_one_control_is_decoded_as_the_plain_voice() -> None:
    assert [name for name, (*_, voice) in LATENT_SYSTEMS.items() if voice != PLAIN] == [
        "the same, decoded as the other voice"
    ]


def test_the_table_is_put_on_its_page_and_replaced(tmp_path: Path) -> None:
    results = tmp_path / "RESULTS.md"
    results.write_text("# Results\n\nfirst\n")
    figure, unit = next(iter(FIGURES.values()))
    for value in (0.25, 0.75):
        rows = [
            Row(TITLE + figure, IDENTITY, Estimate(value), unit),
            Row("accuracy", "voice", Estimate(0.5), "percent"),
        ]
        measured = [report.Measured(row, {}) for row in rows]
        write_sections(report.Report(measured, {}), results)
    assert results.read_text().startswith("# Results\n\nfirst\n") and TAKES in results.read_text()
    text = (tmp_path / TAKES).read_text()
    assert "+0.750" in text and "+0.250" not in text and "accuracy" not in text
    other = report.Report(measured[1:], {})
    write_sections(other, tmp_path / "none.md")
    assert not (tmp_path / "none.md").exists()
    assert TITLE not in report.Report(measured, {}).results([], {})
