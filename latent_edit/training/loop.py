"""One training loop for everything: steps, log, evaluation, resume.

A task owns its networks, optimisers and data. Randomness is seeded per step, so that resuming continues exactly as an
uninterrupted run would: step n sees the same batch and noise whether or not the process was restarted before it.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TextIO

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from latent_edit.errors import CheckpointError, InputError
from latent_edit.files import whole, write_text

if TYPE_CHECKING:  # a machine that trains from a pack may lack pydantic
    from latent_edit.config import StrictModel

STATE_NAME, LOG_NAME, SETTINGS_NAME = "state.pt", "log.jsonl", "settings.json"


class Task(Protocol):
    """What the loop trains."""

    def step(self, index: int) -> dict[str, float]:
        """One optimisation step; returns losses to log."""

    def evaluate(self, index: int) -> dict[str, float]:
        """Held-out figures, or an empty dictionary."""

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain values needed to go on."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Inverse of `state_dict`."""


def seconds_spent(folder: Path, clock: Literal["seconds_per_step", "cpu_seconds_per_step"]) -> float:
    """How long the training in `folder` took by its log, interruptions apart: seconds, or seconds of a CPU core."""
    records = _records(folder)
    timed = [record[clock] for record in records if clock in record]
    return float(records[-1]["step"] * sum(timed) / len(timed))


def course(folder: Path, name: str) -> list[list[float]]:
    """A figure in the log of `folder`, as [step, value] in the order of steps; where one was done again, the last."""
    found = {record["step"]: record[name] for record in _records(folder) if name in record}
    return [[step, found[step]] for step in sorted(found)]


def _records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / LOG_NAME).read_text(encoding="utf-8").splitlines()]


Weights = tuple[Tensor, ...] | list[Tensor]


def moving_average(module: nn.Module, decay: float) -> AveragedModel:
    """Exponential moving average of the weights, with a short memory at first: min(decay, (1 + n) / (10 + n)).

    So the average of a short run is not still that of its first steps.
    """

    def update(averaged: Weights, current: Weights, count: Tensor | int) -> None:
        kept = min(decay, (1 + int(count)) / (10 + int(count)))
        torch._foreach_lerp_(averaged, current, 1 - kept)

    return AveragedModel(module, multi_avg_fn=update)


def has_bfloat16(device: torch.device) -> bool:
    """Whether arithmetic in bfloat16 is faster there: GPUs, and CPUs with instructions for it (AVX-512 BF16, AMX)."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16"))


def save_state(folder: Path, task: Task, index: int) -> None:
    """Write the state completely or not at all."""
    with whole(folder / STATE_NAME) as partial:
        torch.save({"index": index, "task": task.state_dict()}, partial)


def read_state(folder: Path) -> dict[str, Any]:
    """What `save_state` wrote: the number of finished steps ("index") and the task's state ("task"), on the CPU."""
    path = folder / STATE_NAME
    try:
        state: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
    except FileNotFoundError:
        raise InputError(f"{folder} holds no training state: train it first, without --resume") from None
    except Exception as error:
        raise CheckpointError(f"the training state {path} is damaged ({type(error).__name__}); delete it") from error
    return state


def load_state(folder: Path, task: Task) -> int:
    """Restore a saved state; returns the number of finished steps. Raises InputError for a task of other settings."""
    state = read_state(folder)
    try:
        task.load_state_dict(state["task"])
    except (KeyError, RuntimeError, ValueError) as error:
        reason = " ".join(line.strip() for line in str(error).splitlines()[:2])  # torch's first line is a heading
        raise InputError(
            f"the training state in {folder} is of other settings ({reason}); train with those, or delete the folder"
        ) from error
    return int(state["index"])


def keep_settings(folder: Path, settings: StrictModel, resume: bool) -> None:
    """Write what a run is made with beside its state. Resumed, it is to be made with the same.

    The number of steps apart: one may train on. Raises InputError that names what else is another.
    """
    path, now = folder / SETTINGS_NAME, settings.model_dump(mode="json")
    if resume and path.is_file():
        before = _leaves(json.loads(path.read_text(encoding="utf-8")))
        changed = [
            f"{name} was {before.get(name)}, is {value}"
            for name, value in _leaves(now).items()
            if before.get(name) != value and name.split(".")[-1] != "steps"
        ]
        if changed:
            raise InputError(f"{folder} was begun with other settings ({'; '.join(changed)}); take those, or delete it")
    write_text(path, json.dumps(now, indent=2) + "\n")


def _leaves(values: Any, name: str = "") -> dict[str, Any]:
    """What nested settings say: "training.steps" -> 4000."""
    if not isinstance(values, dict):
        return {name: values}
    parts = (_leaves(value, f"{name}.{key}".lstrip(".")) for key, value in values.items())
    return {leaf: value for part in parts for leaf, value in part.items()}


def set_learning_rate(
    optimizer: torch.optim.Optimizer, peak: float, index: int, steps: int, warmup_steps: int, final_share: float
) -> None:
    """Linear warm-up, and an exponential fall to `final_share` of the peak at the last step."""
    warm = min(1.0, (index + 1) / max(1, warmup_steps))
    for group in optimizer.param_groups:
        group["lr"] = peak * warm * final_share ** (index / max(1, steps))


def run(
    task: Task,
    folder: Path,
    steps: int,
    seed: int,
    resume: bool = False,
    settings: StrictModel | None = None,
    log_every: int = 20,
    evaluate_every: int = 1000,
    evaluate_first: bool = False,
    save_every_seconds: float = 240.0,
) -> None:
    """Train until `steps` steps are done; log to `folder/log.jsonl`, state in `folder/state.pt`.

    settings: what the task was made with, kept in `folder/settings.json` (see `keep_settings`). evaluate_first: also
    before the first step. Raises InputError when `folder` holds an earlier run and `resume` is False: nothing is
    overwritten in silence.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not resume and (folder / STATE_NAME).exists():
        raise InputError(f"{folder} holds a training state: continue it with --resume, or delete the folder first")
    first = load_state(folder, task) if resume else 0
    if settings is not None:
        keep_settings(folder, settings, resume)
    with (folder / LOG_NAME).open("a", encoding="utf-8") as log:
        if evaluate_first and not first and (untrained := task.evaluate(0)):
            _write_record(log, {"step": 0, **untrained})
        saved = clock = time.monotonic()
        cpu = time.process_time()
        logged = first
        for index in range(first, steps):
            torch.manual_seed(seed * 1_000_003 + index)
            losses = task.step(index)
            done = index + 1
            record: dict[str, Any] = {}
            if done % log_every == 0 or done == steps:
                spent = {
                    "seconds_per_step": time.monotonic() - clock,
                    "cpu_seconds_per_step": time.process_time() - cpu,
                }
                record = {"step": done, **{k: round(v / (done - logged), 3) for k, v in spent.items()}, **losses}
                clock, cpu, logged = time.monotonic(), time.process_time(), done
            if done % evaluate_every == 0 or done == steps:
                record = {**record, "step": done, **task.evaluate(done)}
                clock, cpu, logged = time.monotonic(), time.process_time(), done
            if record:
                _write_record(log, record)
            if done == steps or time.monotonic() - saved > save_every_seconds:
                save_state(folder, task, done)
                saved = time.monotonic()


def _write_record(log: TextIO, record: dict[str, Any]) -> None:
    log.write(json.dumps({k: round(v, 5) if isinstance(v, float) else v for k, v in record.items()}) + "\n")
    log.flush()
