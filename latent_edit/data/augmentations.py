"""Styled augmentations of a corpus: made once, read by CLAP, by stage 2 of the voice and by the bridges.

A folder holds, for every shard of utterances,
  measured-00000.jsonl      what was measured on each natural recording, one line each
  shard-00000.safetensors   int16 samples [N] of every item, by its number
  shard-00000.jsonl         one line per item (`Augmentation`), written last: it marks a finished shard
and augmentations.json, what all of it was made from. Of each utterance there is the recording itself ("raw"), its
neutral resynthesis by WORLD ("neutral"), and some styles through WORLD ("styled"): so half of what is neutral went
through WORLD, and "vocoded" never means "styled". Equal input gives equal files.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal

import numpy as np

from latent_edit.data.corpora import Utterance
from latent_edit.data.drawn_styles import (
    NEUTRAL_PRESET,
    AugmentationCaption,
    AugmentationConfig,
    DrawnStyle,
    draw_style,
    natural_captions,
    natural_deviations,
    rounded,
)
from latent_edit.data.splits import Split, sentence_key, split_hash, split_of
from latent_edit.data.styles import Style
from latent_edit.data.world import analyse, synthesise
from latent_edit.errors import InputError
from latent_edit.files import whole, write_text
from latent_edit.measures import Measurements, measure
from latent_edit.prompts.lexicon import MAXIMA, MINIMA, CaptionSplit

logger = logging.getLogger(__name__)
INFO_NAME = "augmentations.json"
FULL_SCALE = 32767.0
Kind = Literal["raw", "neutral", "styled"]


@dataclass(frozen=True)
class Augmentation:
    """One augmentation.

    shard, number: where its samples lie. utterance: index into the prepared utterances. sentence: `sentence_key` of its
    text. preset: the page's preset it renders (with jitter). style: the change made, [7] in the order of `AXES`. heard:
    the same plus how far the recording itself is from its voice's medians; what an ear that knows the voice hears.
    warp: duration ratio; output time t comes from recording time t / warp. scale: samples = int16 / 32767 * scale.
    """

    shard: int
    number: int
    utterance: int
    speaker: str
    text: str
    sentence: str
    split: Split
    kind: Kind
    preset: str | None
    style: tuple[float, ...]
    heard: tuple[float, ...]
    warp: float
    scale: float
    captions: tuple[AugmentationCaption, ...]

    @staticmethod
    def from_json(line: str) -> Augmentation:
        """The item of one line of a shard's JSONL."""
        fields = json.loads(line)
        captions = tuple(AugmentationCaption(c["text"], tuple(c["axes"])) for c in fields.pop("captions"))
        style, heard = tuple(fields.pop("style")), tuple(fields.pop("heard"))
        return Augmentation(**fields, style=style, heard=heard, captions=captions)


@dataclass(frozen=True)
class Augmentations:
    """A prepared folder. items: all of its augmentations, utterance by utterance."""

    folder: Path
    sampling_rate: int
    items: tuple[Augmentation, ...]

    @staticmethod
    def open(folder: Path) -> Augmentations:
        """Read the tables of a folder. Raises InputError where it is not, or not yet completely, prepared."""
        info = _read_info(folder)
        if info is None:
            raise InputError(f"{folder} holds no augmentations; run `python -m latent_edit prepare` first")
        tables = [_table(folder, shard) for shard in range(info["shards"])]
        if unfinished := [table for table in tables if not table.is_file()]:
            raise InputError(f"{folder} lacks {len(unfinished)} of {len(tables)} shards; run `prepare` again to finish")
        items = [Augmentation.from_json(line) for table in tables for line in _lines(table)]
        return Augmentations(folder, info["config"]["sampling_rate"], tuple(items))

    def of_split(self, split: Split) -> list[Augmentation]:
        """The items of one split."""
        return [item for item in self.items if item.split == split]

    def audio(self, items: Sequence[Augmentation]) -> Iterator[np.ndarray]:
        """Samples of each item, float32 [N]; may exceed 1.0. Fast where items of a shard follow each other."""
        from safetensors import safe_open

        opened: tuple[int, Any] | None = None
        for item in items:
            if opened is None or opened[0] != item.shard:
                opened = item.shard, safe_open(_samples_file(self.folder, item.shard), framework="numpy")
            yield opened[1].get_tensor(str(item.number)).astype(np.float32) * np.float32(item.scale / FULL_SCALE)


def prepare_augmentations(
    utterances: Sequence[Utterance], folder: Path, config: AugmentationConfig, workers: int = 2
) -> Augmentations:
    """Measure and render a corpus; finished shards are kept. `workers` processes, 0 for none besides this one.

    Raises InputError where the folder was begun with other recordings or another configuration.
    """
    size = config.utterances_per_shard
    shards = [range(start, min(start + size, len(utterances))) for start in range(0, len(utterances), size)]
    _begin(utterances, folder, config, len(shards))
    tasks = [ShardTask(folder, n, shard.start, tuple(utterances[i] for i in shard)) for n, shard in enumerate(shards)]
    _run(partial(_measure_shard, config=config), [t for t in tasks if not t.measured.is_file()], workers, "measured")
    measured = [json.loads(line) for task in tasks for line in _lines(task.measured)]
    deviations = natural_deviations(utterances, [Measurements(**values) for values in measured])
    render = partial(_render_shard, deviations=deviations, config=config)
    _run(render, [t for t in tasks if not _table(folder, t.shard).is_file()], workers, "rendered")
    return Augmentations.open(folder)


@dataclass(frozen=True)
class ShardTask:
    """The work of one process at a time. first: index of the first utterance."""

    folder: Path
    shard: int
    first: int
    utterances: tuple[Utterance, ...]

    @property
    def measured(self) -> Path:
        """Table of natural measurements."""
        return self.folder / f"measured-{self.shard:05d}.jsonl"


def _measure_shard(task: ShardTask, config: AugmentationConfig) -> None:
    lines = []
    for utterance in task.utterances:
        letters = len(sentence_key(utterance.text).replace(" ", ""))  # in place of phonemes: only ratios are used
        lines.append(json.dumps(asdict(measure(utterance.read(config.sampling_rate), config.sampling_rate, letters))))
    _write_lines(task.measured, lines)


def _render_shard(task: ShardTask, deviations: np.ndarray, config: AugmentationConfig) -> None:
    from safetensors.numpy import save_file

    items: list[Augmentation] = []
    samples: dict[str, np.ndarray] = {}
    for offset, utterance in enumerate(task.utterances):
        index = task.first + offset
        for item, audio in _render_utterance(utterance, index, deviations[index], config):
            integers, scale = _to_int16(audio)
            number = len(items)
            samples[str(number)] = integers
            items.append(Augmentation(shard=task.shard, number=number, scale=scale, **item))
    path = _samples_file(task.folder, task.shard)
    with whole(path) as partial:
        save_file(samples, partial)
    _write_lines(_table(task.folder, task.shard), [json.dumps(asdict(item)) for item in items])


def _render_utterance(
    utterance: Utterance, index: int, deviation: np.ndarray, config: AugmentationConfig
) -> Iterator[tuple[dict[str, Any], np.ndarray]]:
    """Fields of each item of an utterance (without those of its storage) and its samples."""
    generator = np.random.default_rng([config.seed, index])
    recording = utterance.read(config.sampling_rate)
    split = split_of(utterance.text)
    analysis = analyse(recording, config.sampling_rate)
    common = {
        "utterance": index,
        "speaker": utterance.speaker,
        "text": utterance.text,
        "sentence": sentence_key(utterance.text),
        "split": split,
    }

    words: CaptionSplit = "train" if split == "train" else "test"

    def fields(kind: Kind, drawn: DrawnStyle) -> dict[str, Any]:
        axes = drawn.style.as_array().astype(float)
        return {
            **common,
            "kind": kind,
            "preset": drawn.preset,
            "style": rounded(axes),
            "heard": rounded(np.clip(axes + deviation, MINIMA, MAXIMA)),
            "warp": float(np.exp(drawn.style.pace_log_ratio)),
            "captions": drawn.captions,
        }

    natural = DrawnStyle(Style(), NEUTRAL_PRESET, natural_captions(deviation, generator, words))
    yield fields("raw", natural), recording
    yield fields("neutral", natural), synthesise(analysis, natural.style)
    for _ in range(config.styled_per_utterance):
        drawn = draw_style(generator, words, config)
        yield fields("styled", drawn), synthesise(analysis, drawn.style)


def _to_int16(samples: np.ndarray) -> tuple[np.ndarray, float]:
    """16-bit samples and the scale that undoes it: a shout over full scale is not clipped."""
    scale = max(1.0, float(np.abs(samples).max()))
    return np.rint(samples / scale * FULL_SCALE).astype(np.int16), scale


def _begin(utterances: Sequence[Utterance], folder: Path, config: AugmentationConfig, shards: int) -> None:
    """Write what the folder is made from, or compare with what it was begun with."""
    texts = [f"{utterance.speaker}/{utterance.path.name}" for utterance in utterances]
    info = {
        "config": config.model_dump(mode="json"),
        "utterances": len(utterances),
        "recordings": _fingerprint(texts),
        "held_out": split_hash(utterances),
        "shards": shards,
    }
    if not utterances:
        raise InputError("there are no recordings to render; give a corpus")
    begun = _read_info(folder)
    if begun is not None and begun != info:
        changed = ", ".join(key for key in info if begun.get(key) != info[key])
        raise InputError(f"{folder} was begun with other {changed}; delete it or choose another folder")
    if begun is None:
        _write_lines(folder / INFO_NAME, [json.dumps(info)])


def _fingerprint(texts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def _run(work: Callable[[ShardTask], None], tasks: Sequence[ShardTask], workers: int, verb: str) -> None:
    """Do the tasks, in fresh processes if there are several workers (a forked one would inherit locks of libraries)."""
    if workers == 0 or len(tasks) < 2:
        for done, task in enumerate(tasks, 1):
            work(task)
            logger.info("%s shard %d (%d of %d)", verb, task.shard, done, len(tasks))
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for done, _ in enumerate(pool.map(work, tasks), 1):
            logger.info("%s %d of %d shards", verb, done, len(tasks))


def _table(folder: Path, shard: int) -> Path:
    return folder / f"shard-{shard:05d}.jsonl"


def _samples_file(folder: Path, shard: int) -> Path:
    return folder / f"shard-{shard:05d}.safetensors"


def _read_info(folder: Path) -> dict[str, Any] | None:
    path = folder / INFO_NAME
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def _write_lines(path: Path, lines: Iterable[str]) -> None:
    write_text(path, "".join(f"{line}\n" for line in lines))
