"""The values that travel between rooms. Time axes of latents are in frames, audio is mono float32."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Latent:
    """A batch of VITS latents; nothing reads a bare padded tensor.

    z: [B, C, T] float, zero where the mask is zero. mask: [B, 1, T] float, one inside each item.
    """

    z: Tensor
    mask: Tensor

    def __post_init__(self) -> None:
        if self.z.dim() != 3 or self.mask.shape != (self.z.shape[0], 1, self.z.shape[2]):
            raise ValueError(f"latent {tuple(self.z.shape)} needs a mask [B, 1, T], not {tuple(self.mask.shape)}")

    @property
    def lengths(self) -> Tensor:
        """Frames of each item, [B] int64."""
        return self.mask.sum(dim=(1, 2)).long()

    def item(self, index: int) -> Latent:
        """One item without its padding: [1, C, T_index]."""
        length = int(self.lengths[index])
        return Latent(self.z[index : index + 1, :, :length], self.mask[index : index + 1, :, :length])

    def at(self, positions: Tensor) -> Latent:
        """One unpadded item [1, C, T] at moments [frames] in frames, linearly between its own: [1, C, frames]."""
        last = self.z.shape[2] - 1
        positions = positions.clamp(0, last)
        before = positions.long()
        share = (positions - before).to(self.z)
        z = torch.lerp(self.z[:, :, before], self.z[:, :, (before + 1).clamp(max=last)], share)
        return Latent(z, torch.ones_like(z[:, :1]))

    def stretched(self, frames: int) -> Latent:
        """One unpadded item [1, C, T] resampled evenly in time, linearly between its frames: [1, C, frames]."""
        middles = torch.arange(frames, device=self.z.device, dtype=torch.float64) + 0.5
        return self.at(middles * self.z.shape[2] / frames - 0.5)

    @staticmethod
    def concatenate(latents: list[Latent]) -> Latent:
        """Join single, unpadded items one after the other in time: [1, C, sum of T]."""
        return Latent(torch.cat([x.z for x in latents], dim=2), torch.cat([x.mask for x in latents], dim=2))

    @staticmethod
    def collate(latents: list[Latent]) -> Latent:
        """Pad single items [1, C, T_i] with zeros into one batch [B, C, max T]."""
        longest = max(x.z.shape[2] for x in latents)

        def pad(x: Tensor) -> Tensor:
            return torch.nn.functional.pad(x, (0, longest - x.shape[2]))

        return Latent(torch.cat([pad(x.z) for x in latents]), torch.cat([pad(x.mask) for x in latents]))


@dataclass(frozen=True)
class Waveform:
    """A batch of mono audio. samples: [B, N] float32 (may exceed 1.0); lengths: [B] int64 in samples."""

    samples: Tensor
    lengths: Tensor
    sampling_rate: int

    def item(self, index: int) -> Tensor:
        """Samples [N_index] of one item, without padding."""
        return self.samples[index, : int(self.lengths[index])]

    @staticmethod
    def of(samples: Tensor, sampling_rate: int) -> Waveform:
        """A batch of one from samples [N]."""
        return Waveform(samples.unsqueeze(0), torch.tensor([samples.shape[0]]), sampling_rate)


@dataclass(frozen=True)
class Alignment:
    """How many frames each phoneme lasts. durations: [B, P] int64; zero for padding phonemes."""

    durations: Tensor
