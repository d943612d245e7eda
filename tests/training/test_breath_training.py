"""The decoder is taught light breath: what it learns, what stays, and that going on is exact."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_voices import RATE, SPEAKERS, buzz, tiny_voice

from latent_edit import checkpoint
from latent_edit.data.augmentations import Augmentations
from latent_edit.data.styles import Style
from latent_edit.errors import InputError
from latent_edit.models.embedded_vits import save_voice
from latent_edit.models.vits import LATENT_PARTS, FrozenVits, freeze
from latent_edit.training import breath, loop
from latent_edit.training.breath import BreathTask, Pair, seek_pairs
from latent_edit.training.vits_config import BreathConfig
from latent_edit.types import Latent


@dataclass(frozen=True)
class Item:
    """What of an augmentation is looked at."""

    text: str
    speaker: str
    style: tuple[float, ...]
    split: str = "train"


class MadeUp(Augmentations):
    """Augmentations that are made when they are asked for."""

    def audio(self, items: Sequence[Any]) -> Iterator[np.ndarray]:
        for index, _ in enumerate(items):
            yield 0.5 * buzz(0.7, 110 + 10 * index)


def style(**axes: float) -> tuple[float, ...]:
    return tuple(Style(**axes).as_array().tolist())


WHISPER = Item("A whisper.", "ben", style(breathiness=1.0))
ITEMS = [
    *(Item(f"The boat number {n} is late.", SPEAKERS[n % 2], style(level_db=3.0 * (n % 2))) for n in range(6)),
    Item("This is breathy already.", "anna", style(breathiness=0.4)),
    WHISPER,
]


CONFIG = BreathConfig(steps=4, pairs=7, held_out_pairs=2, batch_size=4, segment_frames=4, warmup_steps=1)


def louder(_: FrozenVits, latent: Latent, speaker: str, amount: float) -> Latent:  # noqa: ARG001
    """In place of `breathy`, which has its own tests and takes its time."""
    return Latent(latent.z + amount, latent.mask)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A voice with random weights may dwell on anything."""
    monkeypatch.setattr(breath, "LONGEST", 10**6)
    monkeypatch.setattr(breath, "breathy", louder)


@pytest.fixture(scope="module")
def voice() -> FrozenVits:
    return freeze(tiny_voice())


@pytest.fixture
def augmentations(tmp_path: Path) -> Augmentations:
    return MadeUp(tmp_path, RATE, tuple(ITEMS))  # type: ignore[arg-type]


def pairs_of(voice: FrozenVits) -> list[Pair]:
    """Random latents with random ones for the breathy ones."""
    draw = torch.Generator().manual_seed(0)
    latents = torch.randn(12, 1, voice.latent_channels, 20, generator=draw)
    return [Pair(SPEAKERS[i % 2], 0.5, latents[i], latents[6 + i]) for i in range(6)]


def test_pairs_are_sought_once_and_a_whisper_stays_as_it_is(
    voice: FrozenVits, augmentations: Augmentations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pairs.safetensors"
    pairs = seek_pairs(CONFIG, voice, augmentations, path)
    assert len(pairs) == 7  # all but the breathy one
    whispers = [pair for pair in pairs if torch.equal(pair.clear, pair.breathy)]
    assert [(pair.speaker, pair.breathiness) for pair in whispers] == [("ben", 0.0)]
    assert all(0.1 <= pair.breathiness <= 0.9 for pair in pairs if pair.breathiness)
    monkeypatch.setattr(breath, "breathy", None)
    for pair, kept in zip(pairs, seek_pairs(CONFIG, voice, augmentations, path), strict=True):
        assert pair.speaker == kept.speaker and torch.equal(pair.breathy, kept.breathy)


def test_pairs_of_another_voice_are_refused(voice: FrozenVits, augmentations: Augmentations, tmp_path: Path) -> None:
    path = tmp_path / "pairs.safetensors"
    seek_pairs(CONFIG, voice, augmentations, path)
    with pytest.raises(InputError, match="another voice"):
        seek_pairs(CONFIG, freeze(tiny_voice(seed=1)), augmentations, path)


def test_too_few_augmentations_are_said(voice: FrozenVits, augmentations: Augmentations, tmp_path: Path) -> None:
    config = CONFIG.model_copy(update={"held_out_pairs": 7})
    with pytest.raises(InputError, match="only 7 augmentations are long enough to seek breath in, 7 of them held out"):
        seek_pairs(config, voice, augmentations, tmp_path / "pairs.safetensors")
    assert not (tmp_path / "pairs.safetensors").exists()


def test_there_has_to_be_something_to_go_on_from(
    voice: FrozenVits, augmentations: Augmentations, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="holds no training state"):
        breath.train(CONFIG, voice, augmentations, tmp_path / "runs", resume=True)
    assert not (tmp_path / "runs" / "pairs.safetensors").exists()


def test_it_learns_breath_and_keeps_the_rest(voice: FrozenVits) -> None:
    task = BreathTask(CONFIG.model_copy(update={"steps": 100, "learning_rate": 3e-2}), voice, pairs_of(voice))
    clear, breathy = task.lessons[:2]

    def missed(lesson: breath.Lesson) -> float:
        with torch.no_grad():
            return float(sum(task._losses([lesson.cut(0, 20)]).values()))

    before = missed(breathy)
    assert missed(clear) == pytest.approx(0.0, abs=1e-5)
    for index in range(100):
        task.step(index)
    assert missed(breathy) < 0.7 * before
    assert missed(clear) < missed(breathy)
    old, new = voice.source_filter_decoder.pitch.state_dict(), task.decoder.pitch.state_dict()
    assert all(torch.equal(value, new[name]) for name, value in old.items())
    assert task.evaluate(100).keys() == {"held_out_noise", "held_out_pulses", "held_out_phase"}


def test_going_on_equals_an_uninterrupted_run(
    voice: FrozenVits, augmentations: Augmentations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = breath.train(CONFIG, voice, augmentations, tmp_path / "whole").state_dict()
    plain_step = BreathTask.step

    def step(self: BreathTask, index: int) -> dict[str, float]:
        if index == 2:
            raise KeyboardInterrupt
        return plain_step(self, index)

    plain_run = loop.run
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(loop, "run", lambda *a, **k: plain_run(*a, **k, save_every_seconds=0.0))
        patch.setattr(BreathTask, "step", step)
        breath.train(CONFIG, voice, augmentations, tmp_path / "parts")
    assert loop.read_state(tmp_path / "parts")["index"] == 2
    parts = breath.train(CONFIG, voice, augmentations, tmp_path / "parts", resume=True).state_dict()
    assert all(torch.equal(value, parts[name]) for name, value in whole.items())
    assert loop.read_state(tmp_path / "parts")["index"] == 4


def test_only_the_decoder_of_the_checkpoint_is_another(augmentations: Augmentations, tmp_path: Path) -> None:
    save_voice(tiny_voice(), tmp_path / "old", {"score": torch.ones(2)})
    old = FrozenVits.load(tmp_path / "old")
    decoder = breath.train(CONFIG, old, augmentations, tmp_path / "runs")
    breath.export(decoder, tmp_path / "old", tmp_path / "new")
    before, after = (checkpoint.load_tensors(tmp_path / name) for name in ("old", "new"))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert before.keys() == after.keys() and changed
    assert all(
        name.startswith("decoder.") and not name.startswith(("decoder.pitch.", *LATENT_PARTS)) for name in changed
    )
    new = FrozenVits.load(tmp_path / "new")
    assert new.latent_hash == old.latent_hash and new.hash != old.hash
    assert (tmp_path / "new" / "discriminators.safetensors").is_file()
