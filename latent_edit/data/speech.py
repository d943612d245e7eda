"""The prepared corpus of one voice model: recordings as one array of 16-bit samples with their F0, texts as ids."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from latent_edit.data.corpora import Utterance
from latent_edit.data.pitch import pitch_of_recordings
from latent_edit.errors import InputError
from latent_edit.files import write_text
from latent_edit.models.phonemes import encode_text


@dataclass(frozen=True)
class SpeechBatch:
    """samples: [B, N] float32, lengths: [B]; pitch: F0 in Hz [B, T], zero where unvoiced; ids: [B, P] int64,
    id_lengths: [B]; speaker: [B] int64."""

    samples: Tensor
    lengths: Tensor
    pitch: Tensor
    ids: Tensor
    id_lengths: Tensor
    speaker: Tensor


@dataclass(frozen=True)
class Speech:
    """Recordings in memory.

    offsets: [n + 1] into `samples` (int16). pitch: F0 in Hz of all whole frames (hop_length samples), recording by
    recording, zero where unvoiced. full_scale: the level that 32767 stands for.
    """

    samples: np.ndarray
    offsets: np.ndarray
    pitch: np.ndarray
    ids: list[list[int]]
    speakers: list[str]
    texts: list[str]
    sampling_rate: int
    hop_length: int
    full_scale: float = 1.0

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def lengths(self) -> np.ndarray:
        """Samples of each recording, [n]."""
        return np.diff(self.offsets)

    def audio(self, index: int) -> np.ndarray:
        """One recording, float32 [N]."""
        return self.samples[self.offsets[index] : self.offsets[index + 1]].astype(np.float32) * (
            self.full_scale / 32767.0
        )

    @cached_property
    def _frame_offsets(self) -> np.ndarray:
        """Where each recording's frames begin in `pitch`, [n + 1]."""
        return np.concatenate([[0], np.cumsum(self.lengths // self.hop_length)])

    def frames(self, index: int) -> np.ndarray:
        """F0 of one recording, float32 [T]."""
        return self.pitch[self._frame_offsets[index] : self._frame_offsets[index + 1]]

    def batch(self, indices: Sequence[int], speaker_ids: dict[str, int]) -> SpeechBatch:
        """Recordings padded with zeros to the longest."""
        audio = [torch.from_numpy(self.audio(i)) for i in indices]
        ids = [torch.tensor(self.ids[i]) for i in indices]
        pad = torch.nn.utils.rnn.pad_sequence
        return SpeechBatch(
            samples=pad(audio, batch_first=True),
            lengths=torch.tensor([len(a) for a in audio]),
            pitch=pad([torch.tensor(self.frames(i)) for i in indices], batch_first=True),
            ids=pad(ids, batch_first=True),
            id_lengths=torch.tensor([len(i) for i in ids]),
            speaker=torch.tensor([speaker_ids[self.speakers[i]] for i in indices]),
        )


def prepare_speech(utterances: Sequence[Utterance], sampling_rate: int, hop_length: int, folder: Path) -> Speech:
    """Decode, phonemize and track F0 once and keep the result in `folder`; what is there already is only read."""
    table = folder / "speech.json"
    if not table.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        recordings = [_to_int16(u.read(sampling_rate)) for u in utterances]
        # A small corpus may have no sentence in a split.
        np.save(folder / "speech.npy", np.concatenate([np.zeros(0, np.int16), *recordings]))
        audio = (r.astype(np.float32) / 32767.0 for r in recordings)
        np.save(folder / "pitch.npy", pitch_of_recordings(audio, sampling_rate, hop_length))
        content = {
            "sampling_rate": sampling_rate,
            "hop_length": hop_length,
            "offsets": np.cumsum([0, *map(len, recordings)]).tolist(),
            "ids": [list(encode_text(u.text).ids) for u in utterances],
            "speakers": [u.speaker for u in utterances],
            "texts": [u.text for u in utterances],
        }
        write_text(table, json.dumps(content))  # last: without it everything is made again
    speech = load_speech(folder)
    prepared = list(zip(speech.speakers, speech.texts, strict=True))
    asked = [(u.speaker, u.text) for u in utterances]
    if (prepared, speech.sampling_rate, speech.hop_length) != (asked, sampling_rate, hop_length):
        raise InputError(f"{folder} was prepared from other recordings: delete it and run `prepare` again")
    return speech


def load_speech(folder: Path) -> Speech:
    """What `prepare_speech` left in `folder`."""
    if not (folder / "speech.json").is_file():
        raise InputError(f"{folder} holds no recordings: run `python -m latent_edit prepare recordings CORPUS` first")
    content = json.loads((folder / "speech.json").read_text(encoding="utf-8"))
    if "hop_length" not in content:  # made before F0 was tracked
        raise InputError(f"{folder} was prepared by an earlier version: delete it and run `prepare recordings` again")
    return Speech(
        samples=np.load(folder / "speech.npy", mmap_mode="r"),
        offsets=np.array(content["offsets"]),
        pitch=np.load(folder / "pitch.npy"),
        ids=content["ids"],
        speakers=content["speakers"],
        texts=content["texts"],
        sampling_rate=content["sampling_rate"],
        hop_length=content["hop_length"],
    )


def _to_int16(samples: np.ndarray) -> np.ndarray:
    return np.clip(np.round(samples * 32767.0), -32767, 32767).astype(np.int16)


def batches_by_length(lengths: np.ndarray, batch_size: int, epoch: int, seed: int) -> list[np.ndarray]:
    """Batches of similar length in random order; the same for the same seed and epoch. Incomplete batches are left out.

    Recordings are sorted by length with a jitter of about 10 %, so that each epoch groups them differently.
    """
    count = len(lengths) // batch_size
    if count == 0:
        raise InputError(f"{len(lengths)} recordings are fewer than one batch of {batch_size}")
    generator = np.random.default_rng([seed, epoch])
    order = np.argsort(lengths * generator.uniform(0.95, 1.05, len(lengths)), kind="stable")
    first = int(generator.integers(0, len(order) % batch_size + 1))
    groups = order[first : first + count * batch_size].reshape(count, batch_size)
    return list(groups[generator.permutation(count)])


def batch_of_step(lengths: np.ndarray, batch_size: int, step: int, seed: int) -> np.ndarray:
    """Indices [batch_size] that step `step` trains on: the same whether or not training was interrupted."""
    epoch, position = divmod(step, max(1, len(lengths) // batch_size))
    return batches_by_length(lengths, batch_size, epoch, seed)[position]
