"""Augmentations of a tiny corpus: what is stored, that it is resumed, and that it says the truth."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pyworld")
import soundfile

from latent_edit.axes import AXES
from latent_edit.data.augmentations import Augmentations, prepare_augmentations
from latent_edit.data.corpora import Utterance, read_corpus
from latent_edit.data.drawn_styles import AugmentationConfig, natural_deviations
from latent_edit.data.splits import split_of
from latent_edit.errors import InputError
from latent_edit.measures import Measurements

RATE = 16_000
LEVEL = list(AXES).index("level_db")
CONFIG = AugmentationConfig(styled_per_utterance=2, utterances_per_shard=2)


def speechlike(seconds: float, pitch: float, level: float, seed: int) -> np.ndarray:
    """A buzz with a few formants and syllables: enough for WORLD."""
    time = np.arange(int(seconds * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(pitch * (1 + 0.1 * np.sin(2 * np.pi * 0.8 * time))) / RATE
    harmonics = sum(np.sin(k * phase) / k * (1.0 if k < 8 else 0.3) for k in range(1, 25))
    noise = np.random.default_rng(seed).standard_normal(time.size) * 0.01
    syllables = 0.55 + 0.45 * np.sin(2 * np.pi * 3 * time)
    signal = (harmonics + noise) * syllables
    return (signal / np.abs(signal).max() * level).astype(np.float32)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> list[Utterance]:
    folder = tmp_path_factory.mktemp("corpus")
    rows = ["file,speaker,text"]
    for n, (pitch, level) in enumerate([(110.0, 0.1), (130.0, 0.4), (120.0, 0.2)]):
        soundfile.write(folder / f"{n}.wav", speechlike(0.7 + 0.1 * n, pitch, level, n), RATE)
        rows.append(f"{n}.wav,anna,Sentence number {n} of three.")
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n")
    return read_corpus(folder)


@pytest.fixture(scope="module")
def augmentations(corpus: list[Utterance], tmp_path_factory: pytest.TempPathFactory) -> Augmentations:
    return prepare_augmentations(corpus, tmp_path_factory.mktemp("augmentations"), CONFIG, workers=0)


def test_every_utterance_has_raw_neutral_and_styled(corpus: list[Utterance], augmentations: Augmentations) -> None:
    kinds = [(item.utterance, item.kind) for item in augmentations.items]
    assert kinds == [(n, kind) for n in range(len(corpus)) for kind in ("raw", "neutral", "styled", "styled")]
    for item in augmentations.items:
        assert len(item.captions) == 2 and all(caption.text for caption in item.captions)
        if item.kind != "styled":
            assert not any(item.style) and item.warp == 1.0


def test_raw_items_are_the_recordings_to_16_bit(corpus: list[Utterance], augmentations: Augmentations) -> None:
    raw = [item for item in augmentations.items if item.kind == "raw"]
    for utterance, samples in zip(corpus, augmentations.audio(raw), strict=True):
        assert samples.dtype == np.float32
        np.testing.assert_allclose(samples, utterance.read(RATE), atol=1e-4)


def test_stored_style_is_what_was_done(corpus: list[Utterance], augmentations: Augmentations) -> None:
    """Level and length of each augmentation are those that its style and its recording give."""
    for item, samples in zip(augmentations.items, augmentations.audio(augmentations.items), strict=True):
        recording = corpus[item.utterance].read(RATE)
        assert samples.size == pytest.approx(recording.size * item.warp, abs=2)
        change = 20 * np.log10(np.sqrt(np.mean(samples**2)) / np.sqrt(np.mean(recording**2)))
        assert change == pytest.approx(item.style[LEVEL], abs=0.1)


def test_heard_adds_the_deviation_of_the_recording(augmentations: Augmentations) -> None:
    """The second recording is 6 dB louder than the median of its voice."""
    raw = [item for item in augmentations.items if item.kind == "raw"]
    assert raw[1].heard[LEVEL] - raw[2].heard[LEVEL] == pytest.approx(6.0, abs=0.5)
    for item in augmentations.items:
        expected = np.clip(item.style[LEVEL] + raw[item.utterance].heard[LEVEL], -10, 10)
        assert item.heard[LEVEL] == pytest.approx(expected, abs=1e-3)


def test_what_was_not_measured_is_no_deviation(corpus: list[Utterance]) -> None:
    measured = [Measurements(level_db=-20.0), Measurements(level_db=-26.0), Measurements(level_db=-23.0)]
    deviations = natural_deviations(corpus, measured)
    assert np.ptp(deviations[:, LEVEL]) == pytest.approx(6.0)
    assert not np.delete(deviations, LEVEL, axis=1).any()


def test_a_voice_is_compared_with_itself_whoever_else_there_is(corpus: list[Utterance]) -> None:
    """Also where all of its recordings are held out, beside a louder voice that is not."""
    held_out = next(text for n in range(1000) if split_of(text := f"Sentence number {n}.") == "test")
    learnt = next(text for n in range(1000) if split_of(text := f"Sentence number {n}.") == "train")
    two = [replace(corpus[0], text=held_out), replace(corpus[0], speaker="ben", text=learnt)]
    deviations = natural_deviations(two, [Measurements(level_db=-26.0), Measurements(level_db=-20.0)])
    assert not deviations.any()


def test_finished_shards_are_kept_and_lost_ones_made_again(corpus: list[Utterance], tmp_path: Path) -> None:
    prepare_augmentations(corpus, tmp_path, CONFIG, workers=0)
    kept, lost = tmp_path / "shard-00000.safetensors", tmp_path / "shard-00001.safetensors"
    before = lost.read_bytes(), (tmp_path / "shard-00001.jsonl").read_bytes()
    time = kept.stat().st_mtime_ns
    (tmp_path / "shard-00001.jsonl").unlink()
    with pytest.raises(InputError, match="lacks 1 of 2 shards"):
        Augmentations.open(tmp_path)
    prepare_augmentations(corpus, tmp_path, CONFIG, workers=0)
    assert kept.stat().st_mtime_ns == time
    assert (lost.read_bytes(), (tmp_path / "shard-00001.jsonl").read_bytes()) == before


def test_several_processes_write_the_same(
    corpus: list[Utterance], augmentations: Augmentations, tmp_path: Path
) -> None:
    prepare_augmentations(corpus, tmp_path, CONFIG, workers=2)
    for path in sorted(augmentations.folder.iterdir()):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_a_folder_of_other_data_is_refused(
    corpus: list[Utterance], augmentations: Augmentations, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="other config"):
        prepare_augmentations(corpus, augmentations.folder, AugmentationConfig(seed=1), workers=0)
    with pytest.raises(InputError, match="no augmentations"):
        Augmentations.open(tmp_path)
    with pytest.raises(InputError, match="no recordings"):
        prepare_augmentations([], tmp_path, CONFIG, workers=0)


def test_shouts_over_full_scale_are_not_clipped(augmentations: Augmentations) -> None:
    tables = [json.loads(line) for t in sorted(augmentations.folder.glob("shard-*.jsonl")) for line in t.open()]
    assert all(entry["scale"] >= 1.0 for entry in tables)
    for item, samples in zip(augmentations.items, augmentations.audio(augmentations.items), strict=True):
        assert np.abs(samples).max() == pytest.approx(item.scale, rel=1e-3) or item.scale == 1.0
