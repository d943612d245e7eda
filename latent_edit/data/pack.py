"""Everything that the training of a decoder needs in one file: recordings, their latents and F0, and the voice.

It is for a machine with a GPU and little else: reading it takes torch and safetensors alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from torch import Tensor

from latent_edit.errors import CheckpointError, InputError
from latent_edit.files import whole
from latent_edit.models.source_filter_decoder import DecoderSizes
from latent_edit.models.spectrogram import mel_filters
from latent_edit.types import Waveform

if TYPE_CHECKING:
    from latent_edit.data.speech import Speech
    from latent_edit.models.vits import FrozenVits

FULL_SCALE = 32767.0
DECODER, DISCRIMINATORS, MEL = "decoder.", "discriminators.", "mel."
DEVIATION_RECORDINGS = 20  # to measure how far the posterior deviates, which hardly changes between frames
STYLED_SHARE = 0.25
MEL_BINS = {1024: 80, 512: 64, 256: 32}  # of the losses, by FFT size


@dataclass(frozen=True)
class Piece:
    """A recording or an augmentation. samples: [T * hop_length] float32; latent: [C, T], the posterior's mean; pitch:
    F0 in Hz [T], zero where unvoiced; styled: whether it is only reconstructed, as no recording sounds like it."""

    samples: Tensor
    latent: Tensor
    pitch: Tensor
    speaker: int
    styled: bool


@dataclass(frozen=True)
class Pack:
    """Pieces one after the other, and the voice that they belong to.

    samples: [F * hop_length] int16, of which 32767 stands for `full_scale` of its piece [n]. latents: [F, C] float16.
    pitch: [F] float16 in Hz. frames: [n], of each piece. speaker, styled: [n]. speakers: embeddings [speakers, G].
    deviation: [C] of the posterior. mels: mel filters [bins, fft_size // 2 + 1] by FFT size. latent_space: hash of it.
    """

    sizes: DecoderSizes
    samples: Tensor
    full_scale: Tensor
    latents: Tensor
    pitch: Tensor
    frames: Tensor
    speaker: Tensor
    styled: Tensor
    speakers: Tensor
    deviation: Tensor
    mels: dict[int, Tensor]
    decoder: dict[str, Tensor]
    discriminators: dict[str, Tensor]
    latent_space: str = ""
    settings: dict[str, Any] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write it as one safetensors file."""
        arrays = {k: v for k, v in vars(self).items() if isinstance(v, Tensor)}
        weights = {DECODER + k: v.half() for k, v in self.decoder.items()}
        weights |= {DISCRIMINATORS + k: v.half() for k, v in self.discriminators.items()}
        mels = {f"{MEL}{size}": v for size, v in self.mels.items()}
        about = {name: json.dumps(getattr(self, name)) for name in ("settings", "latent_space")}
        about["sizes"] = json.dumps(asdict(self.sizes))
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as partial:
            safetensors.torch.save_file(arrays | weights | mels, partial, about)

    @staticmethod
    def load(path: Path) -> Pack:
        """What `save` wrote. Raises CheckpointError when it is missing, damaged or something else."""
        try:
            with safetensors.safe_open(path, "pt") as file:
                about = file.metadata() or {}
            tensors = safetensors.torch.load_file(path)
            values = {name: json.loads(about[name]) for name in ("settings", "latent_space")}
            weights = {
                "decoder": {k.removeprefix(DECODER): v.float() for k, v in tensors.items() if k.startswith(DECODER)},
                "discriminators": {
                    k.removeprefix(DISCRIMINATORS): v.float()
                    for k, v in tensors.items()
                    if k.startswith(DISCRIMINATORS)
                },
                "mels": {int(k.removeprefix(MEL)): v for k, v in tensors.items() if k.startswith(MEL)},
            }
            arrays = {k: v for k, v in tensors.items() if not k.startswith((DECODER, DISCRIMINATORS, MEL))}
            sizes = DecoderSizes(**json.loads(about["sizes"]))
            return Pack(sizes=sizes, **values, **arrays, **weights)  # type: ignore[arg-type]
        except FileNotFoundError:
            raise CheckpointError(f"there is no pack {path}: make one with `prepare pack`") from None
        except (OSError, safetensors.SafetensorError, KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"{path} is no pack ({type(error).__name__}: {error}): make it again") from error


def packed(pieces: Iterable[Piece], megabytes: float, **about: Any) -> Pack:
    """A pack of as many pieces as fit beside what it is `about` (see `Pack`). Raises InputError when none does."""
    taken: list[Piece] = []
    fixed = sum(2 * v.numel() for part in ("decoder", "discriminators") for v in about[part].values())
    room = megabytes * 1e6 - fixed - sum(4 * v.numel() for v in about["mels"].values())
    for piece in pieces:
        room -= 2 * (piece.samples.numel() + piece.latent.numel() + piece.pitch.numel()) + 16
        if room < 0:
            break
        taken.append(piece)
    if not taken:
        raise InputError(f"no recording fits into a pack of {megabytes:g} MB: give it more")
    scales = torch.tensor([max(1.0, float(p.samples.abs().max())) for p in taken])
    samples = [(p.samples * (FULL_SCALE / s)).round().to(torch.int16) for p, s in zip(taken, scales, strict=True)]
    return Pack(
        samples=torch.cat(samples),
        full_scale=scales,
        latents=torch.cat([p.latent.T for p in taken]).half().contiguous(),
        pitch=torch.cat([p.pitch for p in taken]).half(),
        frames=torch.tensor([p.latent.shape[1] for p in taken]),
        speaker=torch.tensor([p.speaker for p in taken]),
        styled=torch.tensor([p.styled for p in taken]),
        **about,
    )


def pieces(vits: FrozenVits, speech: Speech, styled: Speech | None, styled_share: float, seed: int) -> Iterator[Piece]:
    """Recordings, and augmentations where there are any, in random order and that share, as the voice encodes them."""
    draw = np.random.default_rng(seed)
    queues = {False: iter(draw.permutation(len(speech))), True: iter(draw.permutation(len(styled) if styled else 0))}
    while True:
        is_styled = bool(styled) and draw.random() < styled_share
        index = next(queues[is_styled], None)
        if index is None:
            return
        yield _piece(vits, styled if is_styled and styled else speech, int(index), is_styled)


def _piece(vits: FrozenVits, speech: Speech, index: int, styled: bool) -> Piece:
    speaker = vits.speaker_id(speech.speakers[index])
    samples, pitch = torch.from_numpy(speech.audio(index)), torch.from_numpy(np.array(speech.frames(index)))
    latent = vits.encode_speech(Waveform.of(samples, speech.sampling_rate), speaker).z[0]
    return Piece(samples[: len(pitch) * vits.hop_length], latent, pitch, speaker, styled)


def voice_pack(
    vits: FrozenVits,
    speech: Speech,
    styled: Speech | None,
    discriminators: dict[str, Tensor],
    megabytes: float,
    settings: Mapping[str, Any],
) -> Pack:
    """A pack of at most so many megabytes of recordings and augmentations, to train the decoder of a voice from.

    settings: fields of `training.vits_decoder.DecoderSettings` that are to be others than the default.
    """
    decoder = vits.source_filter_decoder
    rate, first = vits.sampling_rate, range(min(DEVIATION_RECORDINGS, len(speech)))
    deviations = [
        vits.posterior_deviation(Waveform.of(torch.from_numpy(speech.audio(i)), rate), speech.speakers[i])
        for i in first
    ]
    return packed(
        pieces(vits, speech, styled, settings.get("styled_share", STYLED_SHARE), settings.get("seed", 0)),
        megabytes,
        sizes=decoder.sizes,
        speakers=vits.all_speaker_embeddings.clone(),
        deviation=torch.stack(deviations).mean(0),
        mels={size: mel_filters(rate, size, bins) for size, bins in MEL_BINS.items()},
        decoder=decoder.state_dict(),
        discriminators=discriminators,
        latent_space=vits.latent_hash,
        settings=dict(settings),
    )
