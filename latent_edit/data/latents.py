"""What bridges learn from: frozen VITS and CLAP run once over recordings and their augmentations, kept in shards.

Every styled augmentation (the target) stands beside the same words at the same length in other manners (the sources).
Their frames correspond, because the warp of an augmentation is known and a recording's phonemes come from its MAS path.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from torch import Tensor

from latent_edit.axes import AXES
from latent_edit.data.augmentations import Augmentation, Augmentations
from latent_edit.data.styles import Style
from latent_edit.data.world import Analysis, analyse, synthesise
from latent_edit.errors import InputError
from latent_edit.files import whole, write_text
from latent_edit.optimize.corrections import breathy, natural_f0
from latent_edit.request import EditRequest
from latent_edit.types import Latent, Waveform

logger = logging.getLogger(__name__)

if TYPE_CHECKING:
    from latent_edit.models.clap import StyleEncoder
    from latent_edit.models.phonemes import PhonemeSequence
    from latent_edit.models.vits import FrozenVits, TextEncoding

SHARD_RECORDINGS = 32
# "Another clip in the same style": within this distance in units of the axes' floors.
SIMILAR_DISTANCE, MOST_SIMILAR = 1.0, 12


@dataclass(frozen=True)
class Example:
    """One target and the latents it can start from; [C, T] float16, without padding.

    target: posterior mean of the augmentation (of light breath see `optimize.corrections.breathy`). neutral: that of
    the neutral augmentation, time-scaled to the target. text: Z_text on the recording's MAS path, time-scaled likewise;
    text_prior: the same before the inverse flow. paper: Z_text with predicted durations, of its own length;
    paper_prior: before the inverse flow.
    reading: Z_text with predicted durations, resampled to the style's pace (an edit starts from one that keeps more
    words, see `optimize.time_scaling`); styled_reading: what becomes of it, frame by frame (see `_styled_reading`).
    """

    target: Tensor
    neutral: Tensor
    text: Tensor
    text_prior: Tensor
    paper: Tensor
    paper_prior: Tensor
    reading: Tensor
    styled_reading: Tensor


FIELDS = tuple(Example.__dataclass_fields__)


class Target(Protocol):
    """What the target of an example is: an augmentation, or a take (`data.takes`)."""

    @property
    def kind(self) -> str:
        """raw, neutral, styled, or take."""

    @property
    def warp(self) -> float:
        """Duration ratio to what the example starts from."""


@dataclass(frozen=True)
class Latents:
    """All examples in memory.

    examples: field -> list of [C, T]. items: the target of each example. speaker: [n]. audio_style: [n, D] CLAP
    embeddings of the targets' audio; caption_styles: of each example's captions [k, D], k may be 0. All embeddings as
    the CLAP gives them. similar: of each example, others whose clips have the same style but say something else,
    possibly none. hashes: of the voice's latent space, of all of it, and of the CLAP.
    """

    examples: dict[str, list[Tensor]]
    items: Sequence[Target]
    speaker: np.ndarray
    audio_style: Tensor
    caption_styles: list[Tensor]
    similar: list[np.ndarray]
    latent_hash: str
    voice_hash: str
    style_hash: str

    def __len__(self) -> int:
        return len(self.items)

    @property
    def natural(self) -> np.ndarray:
        """Which targets are recordings themselves, [n] bool."""
        return np.array([item.kind in ("raw", "take") for item in self.items])

    @property
    def styled(self) -> np.ndarray:
        """Which examples have something to change, [n] bool."""
        return np.array([item.kind in ("styled", "take") for item in self.items])

    @property
    def log_ratio(self) -> np.ndarray:
        """Logarithm of each target's duration over its recording's, [n] float32."""
        return np.log([item.warp for item in self.items]).astype(np.float32)


def make_examples(vits: FrozenVits, items: list[Augmentation], audio: list[np.ndarray], seed: int) -> list[Example]:
    """Examples of one recording and its augmentations, in the order of `items`: raw first, then neutral, then styled.

    Raises InputError when the recording is too short for its text.
    """
    raw, speaker = items[0], items[0].speaker
    generator = torch.Generator().manual_seed(seed * 1_000_003 + raw.utterance)
    phonemes = vits.phonemize(raw.text)
    encoded = [_encode(vits, samples, speaker) for samples in audio]
    path = vits.align(encoded[0], phonemes, speaker).durations
    on_path = _synthesised(vits, phonemes, speaker, generator, path)
    free = _synthesised(vits, phonemes, speaker, generator)
    paper = (free.latent.z[0], free.prior_sample.z[0])
    spoken = analyse(vits.decode(free.latent, speaker).item(0).cpu().numpy(), vits.sampling_rate)
    examples = []
    for index, (item, target) in enumerate(zip(items, encoded, strict=True)):
        if breath := _light_breath(vits, item):
            clear = replace(Style(*item.style), breathiness=0.0)
            augmentation = synthesise(analyse(audio[0], vits.sampling_rate), clear)
            target = breathy(vits, _encode(vits, augmentation, speaker), speaker, breath)
        neutral = encoded[min(index, 1)]  # a raw recording goes with itself, what went through WORLD with the second
        length = target.z.shape[2]
        at_length = (x.stretched(length).z[0] for x in (neutral, on_path.latent, on_path.prior_sample))
        values = (target.z[0], *at_length, *paper, *_styled_reading(vits, free, spoken, item))
        examples.append(Example(*(value.half().cpu().contiguous() for value in values)))
    return examples


def _styled_reading(
    vits: FrozenVits, reading: TextEncoding, spoken: Analysis, item: Augmentation
) -> tuple[Tensor, Tensor]:
    """Z_text at the pace of an augmentation, and the same carried as far as its style carries speech, both [C, T].

    The reading as spoken is rendered through WORLD with and without the style, and what the posterior encoder hears
    change is added to Z_text. So source and target differ by the style alone: they share every word and every accident
    of the reading, and neither is blurred by a way through decoder and encoder.
    """
    source = reading.resampled(math.log(item.warp)).latent
    if item.kind != "styled":
        return source.z[0], source.z[0]
    breath = _light_breath(vits, item)
    style = replace(Style(*item.style), breathiness=0.0) if breath else Style(*item.style)
    heard = []
    for manner in (Style(pace_log_ratio=style.pace_log_ratio), style):
        heard.append(_encode(vits, synthesise(spoken, manner), item.speaker))
    plain, styled = (latent.stretched(source.z.shape[2]).z for latent in heard)
    carried = Latent(source.z + styled - plain, source.mask)
    if breath:
        carried = breathy(vits, carried, item.speaker, breath)
    return source.z[0], carried.z[0]


def _light_breath(vits: FrozenVits, item: Augmentation) -> float:
    """How breathy an augmentation is where its latent has to be sought, else 0: encoders keep a whisper, nothing less.

    Of a voice that cannot be asked for breath, latents are all looked up with the encoder.
    """
    style = Style(*item.style)
    return style.breathiness if not style.is_whisper and vits.has_source_filter else 0.0


def _synthesised(
    vits: FrozenVits, phonemes: PhonemeSequence, speaker: str, generator: torch.Generator, path: Tensor | None = None
) -> TextEncoding:
    """Z_text as an edit starts from it; on a MAS path where one is given."""
    encoding = vits.encode_text(
        phonemes, speaker, prior_noise=EditRequest.prior_noise, generator=generator, durations=path
    )
    return replace(encoding, latent=natural_f0(vits, encoding.latent, speaker))


def _encode(vits: FrozenVits, samples: np.ndarray, speaker: str) -> Latent:
    return vits.encode_speech(Waveform.of(torch.from_numpy(samples), vits.sampling_rate), speaker)


def prepare_latents(vits: FrozenVits, augmentations: Augmentations, folder: Path, seed: int = 0) -> None:
    """Write the shards that are not there yet: `latents-000.safetensors` and `.jsonl`. Can be interrupted."""
    if augmentations.sampling_rate != vits.sampling_rate:
        raise InputError(
            f"the augmentations have {augmentations.sampling_rate} Hz, but the voice {vits.sampling_rate} Hz"
        )
    recordings = _recordings(augmentations)
    for name in sorted({augmentations.items[group[0]].speaker for group in recordings}):
        vits.speaker_id(name)
    folder.mkdir(parents=True, exist_ok=True)
    # The whole voice, not its latent space alone: readings are spoken, and light breath is sought, with the decoder.
    made_from = {"latent_hash": vits.latent_hash, "voice_hash": vits.hash, "seed": seed}
    made_from["augmentations"] = _fingerprint(augmentations)
    _belongs(folder / "voice.json", made_from)
    for shard, first in enumerate(range(0, len(recordings), SHARD_RECORDINGS)):
        path = folder / f"latents-{shard:03d}.safetensors"
        if not path.with_suffix(".jsonl").is_file():
            _write_shard(vits, augmentations, recordings[first : first + SHARD_RECORDINGS], path, seed)


def _write_shard(
    vits: FrozenVits, augmentations: Augmentations, recordings: list[list[int]], path: Path, seed: int
) -> None:
    import safetensors.torch

    tensors: dict[str, Tensor] = {}
    lines: list[str] = []
    for indices in recordings:
        items = [augmentations.items[index] for index in indices]
        try:
            examples = make_examples(vits, items, list(augmentations.audio(items)), seed)
        except InputError as error:
            logger.info("left out, a recording of %r: %s", items[0].text, error)
            continue  # too short for its text: nothing to align
        for index, item, example in zip(indices, items, examples, strict=True):
            tensors |= {f"{len(lines)}.{field}": getattr(example, field) for field in FIELDS}
            lines.append(json.dumps({"item": index, "speaker": vits.speaker_id(item.speaker)}))
    safetensors.torch.save_file(tensors, path)
    logger.info("%s of %d recordings", path.name, len(recordings))
    # The table is written last: a shard without one is made again.
    write_text(path.with_suffix(".jsonl"), "".join(f"{line}\n" for line in lines))


def embed_styles(encoder: StyleEncoder, augmentations: Augmentations, folder: Path) -> None:
    """CLAP embeddings of every example's audio and captions, into `styles.safetensors` beside the latents."""
    import safetensors.torch

    items = [augmentations.items[row["item"]] for row in _rows(folder)]
    rate = augmentations.sampling_rate
    heard = [encoder.embed_audio(Waveform.of(torch.from_numpy(a), rate))[0] for a in augmentations.audio(items)]
    texts = sorted({text for item in items for text in _captions(item)})
    text = torch.cat([encoder.embed_text(texts[i : i + 64]) for i in range(0, len(texts), 64)])
    tensors = {"audio": torch.stack(heard).contiguous(), "text": text.contiguous()}
    with whole(folder / "styles.safetensors") as partial:
        safetensors.torch.save_file(tensors, partial, {"style_hash": encoder.hash})


def load_latents(folder: Path, augmentations: Augmentations, fields: tuple[str, ...] = FIELDS) -> Latents:
    """Everything that `prepare_latents` and `embed_styles` wrote, with only those fields in memory.

    Raises InputError where they were not run to the end, or with other augmentations.
    """
    from safetensors import safe_open

    rows = _rows(folder)
    made_from = json.loads((folder / "voice.json").read_text(encoding="utf-8"))
    if made_from["augmentations"] != _fingerprint(augmentations):
        raise InputError(f"{folder} was prepared from other augmentations: delete it and run `prepare latents` again")
    items = [augmentations.items[row["item"]] for row in rows]
    examples: dict[str, list[Tensor]] = {field: [] for field in fields}
    for path in sorted(folder.glob("latents-*.safetensors")):
        count = len(path.with_suffix(".jsonl").read_text(encoding="utf-8").splitlines())
        with safe_open(path, "pt") as file:
            for field in fields:
                examples[field] += [file.get_tensor(f"{index}.{field}") for index in range(count)]
    if not (folder / "styles.safetensors").is_file():
        raise InputError(f"{folder} holds no style embeddings: run `python -m latent_edit prepare latents` to the end")
    with safe_open(folder / "styles.safetensors", "pt") as file:
        audio_style, text_style = file.get_tensor("audio"), file.get_tensor("text")
        style_hash = file.metadata()["style_hash"]
    position = {t: i for i, t in enumerate(sorted({text for item in items for text in _captions(item)}))}
    return Latents(
        examples=examples,
        items=items,
        speaker=np.array([row["speaker"] for row in rows]),
        audio_style=audio_style,
        caption_styles=[text_style[[position[text] for text in _captions(item)]] for item in items],
        similar=similar_styles(items),
        latent_hash=made_from["latent_hash"],
        voice_hash=made_from["voice_hash"],
        style_hash=style_hash,
    )


def similar_styles(items: Sequence[Augmentation]) -> list[np.ndarray]:
    """For each example, others that sound alike but say something else; at most `MOST_SIMILAR`, possibly none."""
    heard = np.array([item.heard for item in items]) / np.array([axis.floor for axis in AXES.values()])
    sentences = np.array([item.sentence for item in items])
    similar = []
    for own, sentence in zip(heard, sentences, strict=True):
        distance = np.linalg.norm(heard - own, axis=1)
        near = np.flatnonzero((distance < SIMILAR_DISTANCE) & (sentences != sentence))
        similar.append(near[np.argsort(distance[near], kind="stable")][:MOST_SIMILAR])
    return similar


def _recordings(augmentations: Augmentations) -> list[list[int]]:
    """Indices of the training items, recording by recording."""
    train = [index for index, item in enumerate(augmentations.items) if item.split == "train"]
    return [list(group) for _, group in groupby(train, key=lambda index: augmentations.items[index].utterance)]


def _captions(item: Augmentation) -> list[str]:
    """What to ask for to get this augmentation from a neutral reading.

    Captions of an unstyled item that describe how its recording differs from its voice's others do not belong here: the
    reading that the bridge starts from differs as much.
    """
    texts = [caption.text for caption in item.captions if item.kind == "styled" or not any(caption.axes)]
    return texts or [item.captions[0].text]


def _rows(folder: Path) -> list[dict[str, int]]:
    tables = sorted(folder.glob("latents-*.jsonl"))
    if not tables:
        raise InputError(f"{folder} holds no prepared latents: run `python -m latent_edit prepare` first")
    return [json.loads(line) for table in tables for line in table.read_text(encoding="utf-8").splitlines()]


def _fingerprint(augmentations: Augmentations) -> str:
    """SHA-256 over what each augmentation is; an example is found by its number among them."""
    return hashlib.sha256("\n".join(map(repr, augmentations.items)).encode()).hexdigest()


def _belongs(path: Path, expected: dict[str, object]) -> None:
    """The folder's shards must all come from the same voice and augmentations."""
    if path.is_file() and json.loads(path.read_text(encoding="utf-8")) != expected:
        raise InputError(
            f"{path.parent} was prepared with another voice or other augmentations: delete it and prepare it again"
        )
    write_text(path, json.dumps(expected))
