"""The training loop: logs, saves, resumes exactly, and never overwrites a run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from latent_edit.bridge import BridgeTraining
from latent_edit.errors import CheckpointError, InputError
from latent_edit.training import loop


class Line:
    """Fits a line with noise from the global generator."""

    def __init__(self, stop_at: int | None = None) -> None:
        torch.manual_seed(0)
        self.layer = torch.nn.Linear(3, 1)
        self.optimizer = torch.optim.Adam(self.layer.parameters(), lr=0.1)
        self.stop_at, self.steps, self.evaluated = stop_at, [], []

    def step(self, index: int) -> dict[str, float]:
        """One step; stops the process at `stop_at`."""
        if index == self.stop_at:
            raise KeyboardInterrupt
        self.steps.append(index)
        loss = (self.layer(torch.randn(4, 3)) - 1).square().mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return {"loss": float(loss.detach())}

    def evaluate(self, index: int) -> dict[str, float]:
        """Counts the calls."""
        self.evaluated.append(index)
        return {"held_out": 0.123456789}

    def state_dict(self) -> dict[str, Any]:
        """Layer and optimiser."""
        return {"layer": self.layer.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Inverse."""
        self.layer.load_state_dict(state["layer"])
        self.optimizer.load_state_dict(state["optimizer"])


def log_of(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / loop.LOG_NAME).read_text().splitlines()]


def test_an_interrupted_run_continues_exactly(tmp_path: Path) -> None:
    whole = Line()
    loop.run(whole, tmp_path / "whole", 7, seed=3)
    with pytest.raises(KeyboardInterrupt):
        loop.run(Line(stop_at=4), tmp_path / "parts", 7, seed=3, save_every_seconds=0.0)
    rest = Line()
    loop.run(rest, tmp_path / "parts", 7, seed=3, resume=True)
    assert rest.steps == [4, 5, 6]
    assert torch.equal(rest.layer.weight, whole.layer.weight)
    assert torch.equal(rest.layer.bias, whole.layer.bias)
    assert (tmp_path / "parts" / loop.STATE_NAME).read_bytes() == (tmp_path / "whole" / loop.STATE_NAME).read_bytes()


def test_a_finished_run_has_nothing_to_do(tmp_path: Path) -> None:
    loop.run(Line(), tmp_path, 3, seed=0)
    again = Line()
    loop.run(again, tmp_path, 3, seed=0, resume=True)
    assert again.steps == []
    assert loop.read_state(tmp_path)["index"] == 3
    further = Line()
    loop.run(further, tmp_path, 5, seed=0, resume=True)
    assert further.steps == [3, 4]


def test_another_seed_is_another_run(tmp_path: Path) -> None:
    one, other = Line(), Line()
    loop.run(one, tmp_path / "one", 2, seed=0)
    loop.run(other, tmp_path / "other", 2, seed=1)
    assert not torch.equal(one.layer.weight, other.layer.weight)


def test_an_earlier_run_is_not_overwritten(tmp_path: Path) -> None:
    loop.run(Line(), tmp_path, 2, seed=0)
    before = (tmp_path / loop.STATE_NAME).read_bytes()
    task = Line()
    with pytest.raises(InputError, match="holds a training state: continue it with --resume, or delete"):
        loop.run(task, tmp_path, 4, seed=0)
    assert task.steps == []
    assert (tmp_path / loop.STATE_NAME).read_bytes() == before


def test_nothing_to_resume(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no training state: train it first, without --resume"):
        loop.run(Line(), tmp_path, 2, seed=0, resume=True)


def test_what_is_resumed_has_the_settings_it_was_begun_with(tmp_path: Path) -> None:
    """But for the number of steps: one may train on."""
    begun = BridgeTraining(steps=1, learning_rate=1e-3)
    loop.run(Line(), tmp_path, 1, seed=0, settings=begun)
    assert json.loads((tmp_path / loop.SETTINGS_NAME).read_text()) == begun.model_dump()
    further = begun.model_copy(update={"steps": 2})
    loop.run(Line(), tmp_path, 2, seed=0, resume=True, settings=further)
    assert loop.read_state(tmp_path)["index"] == 2
    task = Line()
    with pytest.raises(InputError, match=r"begun with other settings \(learning_rate was 0.001, is 0.002\)"):
        loop.run(task, tmp_path, 3, 0, True, further.model_copy(update={"learning_rate": 2e-3}))
    with pytest.raises(InputError, match=r"\(warmup_steps was 200, is 9\)"):
        loop.run(task, tmp_path, 3, 0, True, further.model_copy(update={"warmup_steps": 9}))
    assert task.steps == []


def test_a_damaged_state_is_refused(tmp_path: Path) -> None:
    loop.run(Line(), tmp_path, 1, seed=0)
    path = tmp_path / loop.STATE_NAME
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(CheckpointError, match=r"is damaged .*; delete it"):
        loop.run(Line(), tmp_path, 2, seed=0, resume=True)


class Harmful:
    """Runs a command when it is unpickled."""

    def __reduce__(self) -> tuple[Any, tuple[str, int]]:
        return os.mkdir, (str(Path(os.environ["HARMED"])), 0o700)


def test_a_state_runs_no_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    harmed = tmp_path / "harmed"
    monkeypatch.setenv("HARMED", str(harmed))
    torch.save({"index": 1, "task": Harmful()}, tmp_path / loop.STATE_NAME)
    with pytest.raises(CheckpointError):
        loop.run(Line(), tmp_path, 2, seed=0, resume=True)
    assert not harmed.exists()


def test_a_state_is_written_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loop.run(Line(), tmp_path, 2, seed=0)

    def fail(state: object, path: Path) -> None:
        del state
        path.write_bytes(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(OSError, match="no space"):
        loop.run(Line(), tmp_path, 4, seed=0, resume=True)
    monkeypatch.undo()
    assert loop.read_state(tmp_path)["index"] == 2


def test_the_log(tmp_path: Path) -> None:
    task = Line()
    loop.run(task, tmp_path, 7, seed=0, log_every=3, evaluate_every=4)
    records = log_of(tmp_path)
    assert [record["step"] for record in records] == [3, 4, 6, 7]
    assert [sorted(record) for record in records] == [
        ["cpu_seconds_per_step", "loss", "seconds_per_step", "step"],
        ["held_out", "step"],
        ["cpu_seconds_per_step", "loss", "seconds_per_step", "step"],
        ["cpu_seconds_per_step", "held_out", "loss", "seconds_per_step", "step"],
    ]
    assert task.evaluated == [4, 7]
    assert records[1]["held_out"] == 0.12346
    loop.run(task, tmp_path, 9, seed=0, resume=True)
    assert [record["step"] for record in log_of(tmp_path)] == [3, 4, 6, 7, 9]


def test_the_course_of_a_figure(tmp_path: Path) -> None:
    """Also before the first step of a run, and not where it goes on; of what was done again, what came last."""
    task = Line()
    loop.run(task, tmp_path, 2, seed=0, evaluate_first=True)
    loop.run(task, tmp_path, 3, seed=0, resume=True, evaluate_first=True)
    assert task.evaluated == [0, 2, 3]
    with (tmp_path / loop.LOG_NAME).open("a") as log:
        log.write('{"step": 2, "held_out": 0.5}\n')
    assert loop.course(tmp_path, "held_out") == [[0, 0.12346], [2, 0.5], [3, 0.12346]]


def test_seconds_are_of_one_step_whatever_was_logged_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step takes two seconds on this clock; evaluation and interruptions do not count."""
    now = [0.0]
    monkeypatch.setattr(loop.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(loop.time, "process_time", lambda: now[0] / 2)

    class Slow(Line):
        def step(self, index: int) -> dict[str, float]:
            now[0] += 2
            return super().step(index)

        def evaluate(self, index: int) -> dict[str, float]:
            now[0] += 100
            return super().evaluate(index)

    loop.run(Slow(), tmp_path, 7, seed=0, log_every=3, evaluate_every=4)
    loop.run(Slow(), tmp_path, 12, seed=0, resume=True, log_every=10)
    assert [record["seconds_per_step"] for record in log_of(tmp_path) if "seconds_per_step" in record] == [2.0] * 5
    assert loop.seconds_spent(tmp_path, "seconds_per_step") == 24
    assert loop.seconds_spent(tmp_path, "cpu_seconds_per_step") == 12


def test_the_state_is_saved_from_time_to_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, saved = [0.0], []
    monkeypatch.setattr(loop.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(loop, "save_state", lambda folder, task, index: saved.append((folder, task, index)))

    class Slow(Line):
        def step(self, index: int) -> dict[str, float]:
            now[0] += 50
            return super().step(index)

    task = Slow()
    loop.run(task, tmp_path, 13, seed=0, save_every_seconds=240)
    assert saved == [(tmp_path, task, 5), (tmp_path, task, 10), (tmp_path, task, 13)]


def test_the_learning_rate_rises_and_falls() -> None:
    optimizer, rates = Line().optimizer, []
    for index in range(4):
        loop.set_learning_rate(optimizer, 1e-3, index, steps=4, warmup_steps=2, final_share=0.1)
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([1e-3 * warm * 0.1 ** (i / 4) for i, warm in enumerate((0.5, 1, 1, 1))])


@pytest.mark.parametrize("what", ["vits", "breath", "clap", "bridge"])
def test_every_thread_flushes_denormal_numbers(what: str, tmp_path: Path) -> None:
    """Half of a large product is computed by a worker thread, which takes the setting of the thread that starts it.

    The command ends where it misses its data; until then it must not have computed anything.
    """
    code = (
        "import torch; torch.set_num_threads(2)\n"
        "from latent_edit.cli import app; from latent_edit.errors import InputError\n"
        f"try: app(['train', '{what}', '--runs', {str(tmp_path)!r}], standalone_mode=False)\n"
        "except InputError: pass\n"
        "print(int((torch.full((1_000_000,), 1e-30) * 1e-12 != 0).sum()), torch.get_num_threads())"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (result.stdout.split(), result.stderr) == (["0", "2"], "")
