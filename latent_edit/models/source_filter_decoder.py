"""The decoder of the embedded voice: two filters predicted from the latent, for pulses and for noise.

It follows Vocos (Siuzdak 2023, arXiv 2306.00814): ConvNeXt blocks at the frame rate predict spectra, and the inverse
STFT does the upsampling: cheap enough to be trained on a CPU. They are not those of the sound but of two filters: one
for pulses at an F0 that is read from the latent, one for noise (`models.harmonic_source`).

Needs torch alone, so that it can be trained on a machine without transformers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from latent_edit.errors import InputError
from latent_edit.models.harmonic_source import PitchPredictor, noise, pitch_features, pulses
from latent_edit.models.spectrogram import complex_spectrogram

# exp(5) is about 150, far above what a filter has to give to sources of full scale.
LARGEST_LOG_MAGNITUDE = 5.0
QUIET_LOG_MAGNITUDE = -4.5  # where both filters start: pulses far below full scale


@dataclass(frozen=True)
class DecoderSizes:
    """Sizes of an `SourceFilterDecoder`; `speaker_channels` is 0 for a voice with a single speaker.

    subframes: filters per latent frame, each through a window of as much less than `fft_size` samples. A burst of /t/
    lasts 10 ms, which two a frame of 16 ms, through windows of 32 ms, smear.
    """

    latent_channels: int
    speaker_channels: int
    sampling_rate: int
    hop_length: int
    fft_size: int
    subframes: int
    width: int
    hidden: int
    blocks: int


class ConvNeXtBlock(nn.Module):
    """Depthwise convolution over time, then a two-layer perceptron per frame (Liu et al. 2022, arXiv 2201.03545)."""

    def __init__(self, width: int, hidden: int, scale: float) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(width, width, kernel_size=7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.expand = nn.Linear(width, hidden)
        self.contract = nn.Linear(hidden, width)
        self.scale = nn.Parameter(torch.full((width,), scale))

    def forward(self, x: Tensor) -> Tensor:
        """[B, T, width] -> [B, T, width]."""
        y = self.depthwise(x.transpose(1, 2)).transpose(1, 2)
        y = self.contract(nn.functional.gelu(self.expand(self.norm(y)), approximate="tanh"))
        return x + self.scale * y


class SourceFilterDecoder(nn.Module):
    """Latent frames -> samples, conditioned on the speaker; the signature of VITS's HiFi-GAN."""

    def __init__(self, sizes: DecoderSizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.subframes = sizes.subframes
        self.hop_length = sizes.hop_length
        self.filter_hop = sizes.hop_length // sizes.subframes
        self.filter_size = sizes.fft_size // sizes.subframes
        self.sampling_rate = sizes.sampling_rate
        width = sizes.width
        self.input = nn.Conv1d(sizes.latent_channels, width, kernel_size=7, padding=3)
        if sizes.speaker_channels:
            self.speaker = nn.Conv1d(sizes.speaker_channels, width, kernel_size=1)
        self.pitch = PitchPredictor(sizes.latent_channels, sizes.speaker_channels)
        self.pitch_input = nn.Conv1d(2, width, kernel_size=1)
        self.input_norm = nn.LayerNorm(width, eps=1e-6)
        scale = 1.0 / sizes.blocks
        self.blocks = nn.ModuleList(ConvNeXtBlock(width, sizes.hidden, scale) for _ in range(sizes.blocks))
        self.output_norm = nn.LayerNorm(width, eps=1e-6)
        bins = self.filter_size // 2 + 1
        self.noise_filter = nn.Linear(width, sizes.subframes * bins)
        self.pulse_filter = nn.Linear(width, sizes.subframes * 2 * bins)

    def forward(
        self, spectrogram: Tensor, global_conditioning: Tensor | None = None, pitch: Tensor | None = None
    ) -> Tensor:
        """[B, C, T] and speaker [B, G, 1] -> samples [B, 1, T * hop_length]. The name `spectrogram` is VITS's.

        pitch: F0 in Hz [B, T], zero where unvoiced; without it, what the latent says.
        """
        if pitch is None:
            pitch = self.pitch.pitch(spectrogram, global_conditioning)
        return self.filtered(*self.filters(spectrogram, global_conditioning, pitch), pitch)

    def filtered(self, noise_filter: Tensor, pulse_filter: Tensor, phase: Tensor, pitch: Tensor) -> Tensor:
        """Both sources through what `filters` gives, pulses at F0 in Hz [B, T]: samples [B, 1, T * hop_length]."""
        length = pitch.shape[1] * self.hop_length
        unvoiced = self._spectrum(noise(length, self.training, pitch.device).unsqueeze(0))
        voiced = self._spectrum(pulses(pitch, self.hop_length, self.sampling_rate))
        spectrum = noise_filter.exp() * unvoiced + torch.polar(pulse_filter.exp(), phase) * voiced
        # A latent frame is centred in its samples, and so is a filter in its hop. torch centres filter t at t * hop:
        # one is repeated in front and half a hop cut, which lines both up and leaves no sample without a whole window.
        spectrum = torch.cat([spectrum[:, :, :1], spectrum], dim=2)
        half = self.filter_hop // 2
        # Made here: `from_pretrained` would leave a buffer that is not saved uninitialised.
        window = torch.hann_window(self.filter_size, device=spectrum.device)
        samples = torch.istft(spectrum, self.filter_size, self.filter_hop, window=window, length=length + half)
        samples = samples[:, half:]
        return samples.unsqueeze(1)

    def filters(self, latent: Tensor, speaker: Tensor | None, pitch: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What the sources go through, for a latent [B, C, T], a speaker [B, G, 1] and F0 in Hz [B, T].

        Log magnitudes for the noise, which has no phase to change, and log magnitudes and phases for the pulses; each
        [B, bins, subframes * T].
        """
        x = self.input(latent) + self.pitch_input(pitch_features(pitch))
        if speaker is not None:
            x = x + self.speaker(speaker)
        x = self.input_norm(x.transpose(1, 2))
        for block in self.blocks:
            x = block(x)
        x = self.output_norm(x)
        noise_filter = self._in_time(self.noise_filter(x))
        pulse_filter, phase = self._in_time(self.pulse_filter(x)).chunk(2, dim=1)
        return noise_filter.clamp(max=LARGEST_LOG_MAGNITUDE), pulse_filter.clamp(max=LARGEST_LOG_MAGNITUDE), phase

    def _spectrum(self, source: Tensor) -> Tensor:
        """[B, N] -> [B, bins, T]."""
        return complex_spectrogram(source, self.filter_size, self.filter_hop)

    def _in_time(self, values: Tensor) -> Tensor:
        """[B, T, subframes * N] -> [B, N, subframes * T]."""
        return values.float().unflatten(2, (self.subframes, -1)).flatten(1, 2).transpose(1, 2)


def initialise_decoder(decoder: SourceFilterDecoder) -> None:
    """Start quietly, from unfiltered pulses."""
    for layer in (decoder.pitch_input, decoder.pulse_filter):
        nn.init.zeros_(layer.weight)
    nn.init.zeros_(cast(Tensor, decoder.pitch_input.bias))
    with torch.no_grad():
        decoder.noise_filter.bias.fill_(QUIET_LOG_MAGNITUDE)
        bias = decoder.pulse_filter.bias.view(decoder.subframes, 2, -1)
        bias[:, 0], bias[:, 1] = QUIET_LOG_MAGNITUDE, 0.0


def with_subframes(weights: Mapping[str, Tensor], sizes: DecoderSizes, subframes: int) -> dict[str, Tensor]:
    """Weights of a decoder as those of one with more filters per frame, which sounds nearly the same.

    Each new filter is the old one that it lies in, and every so many of its bins. sizes: those of `weights`. Raises
    InputError for a number of which the old one is no divisor.
    """
    if subframes % sizes.subframes:
        raise InputError(f"{subframes} filters per frame are no multiple of the {sizes.subframes} that there were")
    step, bins = subframes // sizes.subframes, sizes.fft_size // sizes.subframes // 2 + 1
    changed = dict(weights)
    for name in (f"{layer}.{kind}" for layer in ("noise_filter", "pulse_filter") for kind in ("weight", "bias")):
        by_bin = weights[name].unflatten(0, (sizes.subframes, -1, bins))
        changed[name] = by_bin[:, :, ::step].repeat_interleave(step, dim=0).flatten(0, 2)
    return changed
