"""How far a resynthesised recording is from its original, frame by frame: spectrum, F0, voicing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from latent_edit.measures import FRAME_SECONDS, active_frames, track_pitch

MEL_BANDS, FFT_SIZE = 80, 1024  # 64 ms at 16 kHz
FLOOR = 1e-5  # of an amplitude, before its logarithm
OCTAVE_CENTS = 1200.0


@dataclass(frozen=True)
class Fidelity:
    """log_mel_l1: mean absolute difference of natural-log mel amplitudes over speech.

    squared_cents: sum of squared F0 differences in cents over `voiced_frames`, those voiced in both. voicing_errors:
    frames of the `speech_frames` that are voiced in only one.
    """

    log_mel_l1: float | None
    squared_cents: float
    voiced_frames: int
    voicing_errors: int
    speech_frames: int


def compare(original: np.ndarray, resynthesis: np.ndarray, sampling_rate: int) -> Fidelity:
    """Compare two sounds [N] of the same length (a resynthesis may lack its last frame)."""
    size = min(original.size, resynthesis.size)
    first, second = original[:size], resynthesis[:size]
    mels = [_mel(samples, sampling_rate) for samples in (first, second)]
    active = active_frames((mels[0] ** 2).sum(axis=1)) if mels[0].size else np.zeros(0, dtype=bool)
    logarithms = [np.log(np.maximum(mel, FLOOR)) for mel in mels]
    pitches = [_pitch(samples, sampling_rate, active.size) for samples in (first, second)]
    voiced = [(pitch > 0) & active for pitch in pitches]
    both = voiced[0] & voiced[1]
    cents = OCTAVE_CENTS * np.log2(pitches[1][both] / pitches[0][both])
    return Fidelity(
        log_mel_l1=float(np.abs(logarithms[0] - logarithms[1])[active].mean()) if active.any() else None,
        squared_cents=float((cents**2).sum()),
        voiced_frames=int(both.sum()),
        voicing_errors=int((voiced[0] != voiced[1]).sum()),
        speech_frames=int(active.sum()),
    )


def _mel(samples: np.ndarray, rate: int) -> np.ndarray:
    """Mel amplitudes [F, bands] every 10 ms."""
    import torch
    from torchaudio.transforms import MelSpectrogram

    transform = MelSpectrogram(rate, FFT_SIZE, hop_length=round(FRAME_SECONDS * rate), n_mels=MEL_BANDS, power=1.0)
    mel: np.ndarray = transform(torch.from_numpy(np.ascontiguousarray(samples))).numpy().T
    return mel


def _pitch(samples: np.ndarray, rate: int, frames: int) -> np.ndarray:
    """F0 in Hz at every 10 ms [F], zero where unvoiced."""
    track = track_pitch(samples, rate)
    if track.times.size == 0:
        return np.zeros(frames)
    nearest = np.round((np.arange(frames) * FRAME_SECONDS - track.times[0]) / FRAME_SECONDS).astype(int)
    inside = (nearest >= 0) & (nearest < track.times.size)
    return np.where(inside, track.frequencies[np.clip(nearest, 0, track.times.size - 1)], 0.0)
