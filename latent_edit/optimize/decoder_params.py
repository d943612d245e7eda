"""What the source-filter decoder makes of a latent: F0 and the filters of noise and pulses, as one value.

An edit of them can be written down exactly, and a latent sought that says it. The mean squared error of a latent hardly
sees them: F0 and breath take little of its variance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from latent_edit.manners import BAND_EDGES_HZ
from latent_edit.measures import HARMONICITY_BAND_HZ, TILT_EDGES_HZ, breath_share
from latent_edit.models.source_filter_decoder import SourceFilterDecoder
from latent_edit.models.vits import FrozenVits
from latent_edit.types import Waveform

# Breath masks the upper harmonics first (Klatt & Klatt 1990, JASA 87) and is measured there; noise among the first
# harmonics drowns F0.
HNR_BANDS_HZ = ((TILT_EDGES_HZ[0], 500.0), HARMONICITY_BAND_HZ)
# Of the share of power that WORLD turns into noise: recordings have noise of their own, and with all of it a plain
# synthesis, which has little, would lose half as much harmonicity again as they do.
BREATH_SHARE = 0.75


@dataclass(frozen=True, eq=False)
class DecoderParameters:
    """F0 and filters of latents; nothing here changes in place.

    f0: Hz [B, T], zero where unvoiced. noise, pulses: log magnitudes of the filters that noise and pulses go through,
    [B, bins, S * T], S subframes a latent frame. phase: of the pulses' filter, likewise.
    """

    f0: Tensor
    noise: Tensor
    pulses: Tensor
    phase: Tensor
    sampling_rate: int

    @property
    def subframes(self) -> int:
        """Filters a latent frame."""
        return self.noise.shape[2] // self.f0.shape[1]

    def filter_frames(self, values: Tensor) -> Tensor:
        """Values of latent frames [B, T] at the rate of the filters: [B, 1, S * T]."""
        return values.repeat_interleave(self.subframes, dim=1).unsqueeze(1)

    def breathy(self, breathiness: float) -> DecoderParameters:
        """A share of the pulses' power becomes noise, by the curve of `measures.breath_share`."""
        share = breath_share(self.sampling_rate, self.noise.shape[1], breathiness)
        moved = BREATH_SHARE * torch.from_numpy(share).to(self.noise)[:, None]
        return replace(self, noise=self._noise_with(moved), pulses=self.pulses + torch.log1p(-moved) / 2)

    def whispered(self) -> DecoderParameters:
        """All of the pulses' power becomes noise, and there is no F0."""
        return replace(self, f0=torch.zeros_like(self.f0), noise=self._noise_with(1.0))

    def time_scaled(self, frames: int) -> DecoderParameters:
        """The same in so many latent frames, as a vocoder scales time. Phase and voicing are not interpolated."""
        count = frames * self.subframes
        noise, pulses = (F.interpolate(values, count, mode="linear") for values in (self.noise, self.pulses))
        phase = F.interpolate(self.phase, count, mode="nearest-exact")
        f0 = F.interpolate(self.f0[None], frames, mode="nearest-exact")[0]
        return DecoderParameters(f0, noise, pulses, phase, self.sampling_rate)

    def voiced_as(self, f0: Tensor, breathiness: float) -> DecoderParameters:
        """At another F0 in Hz [B, T]: breathy where that is voiced; where it is not, pulses become noise."""
        light, toneless = self.breathy(breathiness), self.whispered()
        noise = torch.where(self.filter_frames(f0) > 0, light.noise, toneless.noise)
        return replace(self, f0=f0, noise=noise, pulses=light.pulses)

    def tilted(self, tilt: Tensor) -> DecoderParameters:
        """Both filters louder by so many dB [] above the middle of `measures.TILT_EDGES_HZ`."""
        hertz = torch.linspace(0, self.sampling_rate / 2, self.noise.shape[1], device=self.noise.device)
        return self.amplified((tilt * (hertz >= TILT_EDGES_HZ[1])).view(1, -1, 1))

    def amplified(self, gain: Tensor) -> DecoderParameters:
        """Both filters louder by a gain in dB, of one number or of the shape of filters."""
        nepers = gain * math.log(10) / 20
        return replace(self, noise=self.noise + nepers, pulses=self.pulses + nepers)

    def spread(self, over_time: Tensor, over_bands: Tensor, start: float, end: float) -> Tensor:
        """Values at places of time [P] and of the bands of `manners.BAND_EDGES_HZ` [B], added: [1, bins, S * T].

        start, end: what the places span, as shares of the length.
        """
        count, bins = self.noise.shape[2], self.noise.shape[1]
        places = np.linspace(start * count, end * count, len(over_time))
        moments = np.interp(np.arange(count), places, over_time.numpy())
        middles = np.sqrt(np.multiply(BAND_EDGES_HZ[1:], BAND_EDGES_HZ[:-1]))
        of_bins = np.interp(np.linspace(0, self.sampling_rate / 2, bins), middles, over_bands.numpy())
        return self.noise.new_tensor(of_bins[:, None] + moments)[None]

    @property
    def hnr(self) -> Tensor:
        """Pulses over noise in dB in each of `HNR_BANDS_HZ`, over voiced frames: [2]. Of a single item."""
        hertz = torch.linspace(0, self.sampling_rate / 2, self.noise.shape[1], device=self.noise.device)
        bands = torch.stack([(hertz >= low) & (hertz < high) for low, high in HNR_BANDS_HZ]).to(self.noise)
        voiced = self.filter_frames(self.f0 > 0)[0, 0]
        harmonics = bands @ ((2 * self.pulses[0]).exp() @ (self._pulses_over_noise[0, 0] * voiced))
        noise = bands @ ((2 * self.noise[0]).exp() @ voiced.to(self.noise))
        return 10 * (torch.log10(harmonics + 1e-12) - torch.log10(noise + 1e-12))

    @property
    def _pulses_over_noise(self) -> Tensor:
        """Power of cosines of amplitude 1 at every harmonic, relative to noise of deviation 1 there: [B, 1, S * T]."""
        return self.sampling_rate / 4 / self.filter_frames(self.f0).clamp(min=1.0)

    def _noise_with(self, share: Tensor | float) -> Tensor:
        """The noise filter, with so much of the pulses' power in it where there are pulses."""
        mixed = torch.logaddexp(2 * self.noise, 2 * self.pulses + (share * self._pulses_over_noise).log()) / 2
        return torch.where(self.filter_frames(self.f0) > 0, mixed, self.noise)


@dataclass(frozen=True, eq=False)
class SpeakerDecoder:
    """A source-filter decoder speaking as one speaker, or as one per item. embedding: [B, G, 1], None without any."""

    decoder: SourceFilterDecoder
    embedding: Tensor | None

    @staticmethod
    def of(vits: FrozenVits, speaker: str | int) -> SpeakerDecoder:
        """The decoder of a voice as a speaker. Raises InputError where it is no source-filter decoder."""
        return SpeakerDecoder.embedded(vits.source_filter_decoder, vits.speaker_embedding(speaker))

    @staticmethod
    def embedded(decoder: SourceFilterDecoder, speakers: Tensor) -> SpeakerDecoder:
        """speakers: embeddings [B, G]; G is 0 for a voice with a single speaker."""
        return SpeakerDecoder(decoder, speakers.unsqueeze(2) if speakers.shape[1] else None)

    def octaves_and_voicing(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """F0 of latents [B, C, T] in octaves above `harmonic_source.REFERENCE_HZ`, and logits of voicing; [B, T]."""
        octaves, voicing = self.decoder.pitch(z, self.embedding)
        return octaves, voicing

    @torch.no_grad()
    def f0(self, z: Tensor) -> Tensor:
        """F0 of latents [B, C, T] in Hz, [B, T], zero where unvoiced."""
        return self.decoder.pitch.pitch(z, self.embedding)

    def analyse(self, z: Tensor, f0: Tensor | None = None) -> DecoderParameters:
        """Decoder parameters of latents [B, C, T], at another F0 in Hz [B, T] where it is given."""
        f0 = self.f0(z) if f0 is None else f0
        return DecoderParameters(f0, *self.decoder.filters(z, self.embedding, f0), self.decoder.sampling_rate)

    def render(self, parameters: DecoderParameters) -> Waveform:
        """What decoder parameters of a single item sound like."""
        filters = parameters.noise, parameters.pulses, parameters.phase
        return Waveform.of(self.decoder.filtered(*filters, parameters.f0)[0, 0], parameters.sampling_rate)

    def decode(self, z: Tensor, f0: Tensor) -> Tensor:
        """Samples [B, T * hop_length] of latents [B, C, T] at F0 in Hz [B, T]."""
        return self.decoder(z, self.embedding, f0).squeeze(1)
