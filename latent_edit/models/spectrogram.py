"""The linear spectrogram that VITS's posterior encoder reads, in the framing of the authors' code; its mel bands."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def linear_spectrogram(samples: Tensor, fft_size: int, hop_length: int) -> Tensor:
    """Magnitudes [B, fft_size // 2 + 1, N // hop_length] of samples [B, N].

    Reflection padding by (fft_size - hop_length) / 2 puts frame t at sample (t + 1/2) * hop_length, as in
    jaywalnut310/vits `mel_processing.py`; so T frames stand for exactly T * hop_length samples.
    """
    spectrum = _transform(samples, fft_size, hop_length, "reflect")
    return (spectrum.real.square() + spectrum.imag.square() + 1e-6).sqrt()


def complex_spectrogram(samples: Tensor, fft_size: int, hop_length: int) -> Tensor:
    """Complex spectrum [B, fft_size // 2 + 1, N // hop_length] of samples [B, N] with silence on either side."""
    return _transform(samples, fft_size, hop_length, "constant")


def _transform(samples: Tensor, fft_size: int, hop_length: int, padding_mode: str) -> Tensor:
    padding = (fft_size - hop_length) // 2
    padded = torch.nn.functional.pad(samples.unsqueeze(1), (padding, padding), mode=padding_mode).squeeze(1)
    window = torch.hann_window(fft_size, device=samples.device)
    return torch.stft(padded, fft_size, hop_length, window=window, center=False, return_complex=True)


def mel_filters(sampling_rate: int, fft_size: int, bins: int) -> Tensor:
    """Triangles of unit area, linear below 1 kHz and logarithmic above (Slaney): [bins, fft_size // 2 + 1]."""
    from torchaudio.functional import melscale_fbanks

    filters: Tensor = melscale_fbanks(
        fft_size // 2 + 1, 0.0, sampling_rate / 2, bins, sampling_rate, "slaney", "slaney"
    )
    return filters.T.contiguous()


class LogMel(nn.Module):
    """Natural logarithm of a mel spectrogram in the framing of `linear_spectrogram`."""

    filters: Tensor

    def __init__(self, sampling_rate: int, fft_size: int, hop_length: int, bins: int) -> None:
        super().__init__()
        self.fft_size, self.hop_length = fft_size, hop_length
        self.register_buffer("filters", mel_filters(sampling_rate, fft_size, bins), persistent=False)

    def forward(self, samples: Tensor) -> Tensor:
        """[B, N] -> [B, bins, T]."""
        spectrogram = linear_spectrogram(samples, self.fft_size, self.hop_length)
        return torch.log((self.filters @ spectrogram).clamp(min=1e-5))
