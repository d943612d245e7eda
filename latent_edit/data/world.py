"""Rendering of styles: WORLD analysis, exact changes along the axes, synthesis (Morise et al. 2016, IEICE E99-D(7))."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from latent_edit.data.styles import Style
from latent_edit.errors import InputError
from latent_edit.measures import TILT_EDGES_HZ, breath_share, track_pitch

FRAME_SECONDS = 0.005
MIN_SECONDS = 0.1
PITCH_LIMITS_HZ = (50.0, 700.0)  # where a changed contour stops
VOICING_THRESHOLD, SILENCE_THRESHOLD = 0.3, 0.02  # lenient: a weak vowel taken for noise is worse than the reverse
TREMOR_HZ = 6.0
TREMOR_SWELL = 0.08  # relative amplitude modulation for each semitone of tremor: the voice wavers in loudness as well
TILT_OCTAVES = 1.5  # the shelf reaches three quarters of its height this far from 1 kHz
WHISPER_CUT_HZ, WHISPER_CUT_DB = 300.0, 9.0  # without a glottal pulse there is little energy below the first formant


@dataclass(frozen=True)
class Analysis:
    """WORLD parameters of one recording, every 5 ms, made to be cached (0.8 MB a second at 16 kHz).

    fundamental: [F] Hz, zero where unvoiced. envelope: [F, bins] power. aperiodicity: [F, bins] amplitude share of
    noise, 0 to 1. All float32. samples: length of the recording. level: its RMS. balance_db: its energy above 1 kHz
    relative to below.
    """

    fundamental: np.ndarray
    envelope: np.ndarray
    aperiodicity: np.ndarray
    sampling_rate: int
    samples: int
    level: float
    balance_db: float

    @property
    def median_pitch(self) -> float:
        """Median F0 over voiced frames in Hz; 0 where nothing is voiced."""
        voiced = self.fundamental[self.fundamental > 0]
        return float(np.median(voiced)) if voiced.size else 0.0


def analyse(samples: np.ndarray, sampling_rate: int) -> Analysis:
    """WORLD parameters of mono speech [N] in [-1, 1]; InputError under 0.1 s. A tenth of real time."""
    import pyworld

    seconds = samples.size / sampling_rate
    if seconds < MIN_SECONDS:
        raise InputError(f"a recording of {seconds:.3f} s is too short to analyse; give at least {MIN_SECONDS} s")
    signal = np.ascontiguousarray(samples, dtype=np.float64)
    times = np.arange(int(seconds / FRAME_SECONDS) + 1) * FRAME_SECONDS
    fundamental = pyworld.stonemask(signal, _fundamental(signal, sampling_rate, times), times, sampling_rate)
    envelope = pyworld.cheaptrick(signal, fundamental, times, sampling_rate)
    aperiodicity = pyworld.d4c(signal, fundamental, times, sampling_rate)
    return Analysis(
        fundamental.astype(np.float32),
        envelope.astype(np.float32),
        aperiodicity.astype(np.float32),
        sampling_rate,
        samples.size,
        _level(signal),
        _balance_db(*_spectrum(signal, sampling_rate)),
    )


def _fundamental(signal: np.ndarray, sampling_rate: int, times: np.ndarray) -> np.ndarray:
    """F0 in Hz at `times` [F]. Praat's, because DIO leaves about twice as many octave jumps and Harvest is slow."""
    track = track_pitch(signal, sampling_rate, FRAME_SECONDS, VOICING_THRESHOLD, SILENCE_THRESHOLD)
    if track.times.size == 0:
        return np.zeros_like(times)
    nearest = np.round((times - track.times[0]) / FRAME_SECONDS).astype(int)
    inside = (nearest >= 0) & (nearest < track.times.size)
    return np.where(inside, track.frequencies[np.clip(nearest, 0, track.times.size - 1)], 0.0)


def synthesise(analysis: Analysis, style: Style) -> np.ndarray:
    """Speak an analysed recording in another style: float32 [M], may exceed 1.0. `Style()` is the neutral reading.

    A new pace stretches all of it alike. Equal input gives equal output, sample for sample.
    """
    import pyworld

    ratio = float(np.exp(style.pace_log_ratio))
    output = pyworld.synthesize(
        _contour(analysis, style, ratio),
        analysis.envelope.astype(np.float64),
        _noise_share(analysis, style.breathiness),
        analysis.sampling_rate,
        FRAME_SECONDS * 1000 * ratio,  # playing the frames at another period is the time warp, without interpolation
    )
    length = round(analysis.samples * ratio)
    output = np.pad(output, (0, max(0, length - output.size)))[:length]
    seconds = np.arange(length) / analysis.sampling_rate
    output *= 1 + TREMOR_SWELL * style.tremor_semitones * np.sin(2 * np.pi * TREMOR_HZ * seconds)
    output = _tilted(output, analysis, style)
    level = _level(output)
    if level > 0:
        output *= analysis.level * 10 ** (style.level_db / 20) / level
    return output.astype(np.float32)


def _contour(analysis: Analysis, style: Style, ratio: float) -> np.ndarray:
    """Changed F0 [F] in Hz: range around the median, shift, then tremor in output time; zero where unvoiced."""
    fundamental = analysis.fundamental.astype(np.float64)
    voiced = fundamental > 0
    if style.is_whisper or not voiced.any():
        return np.zeros_like(fundamental)
    octaves = np.log2(fundamental[voiced] / analysis.median_pitch) * 2.0**style.range_ratio_log2
    seconds = np.flatnonzero(voiced) * FRAME_SECONDS * ratio
    tremor = style.tremor_semitones * np.sin(2 * np.pi * TREMOR_HZ * seconds)
    octaves += (style.pitch_semitones + tremor) / 12
    fundamental[voiced] = np.clip(analysis.median_pitch * 2**octaves, *PITCH_LIMITS_HZ)
    return fundamental


def _noise_share(analysis: Analysis, breathiness: float) -> np.ndarray:
    """Aperiodicity [F, bins] with breath. Powers add, amplitudes do not."""
    share = analysis.aperiodicity.astype(np.float64)
    if breathiness == 0:
        return share
    breath = breath_share(analysis.sampling_rate, share.shape[1], breathiness)
    return np.sqrt(share**2 + (1 - share**2) * breath)


def _tilted(output: np.ndarray, analysis: Analysis, style: Style) -> np.ndarray:
    """Filter the output [M] so that its balance around 1 kHz is the recording's plus `tilt_db`, without phase change.

    The height of the shelf is solved for: WORLD itself, and the low cut of a whisper, shift the balance a little.
    """
    spectrum, frequencies = _spectrum(output, analysis.sampling_rate)
    octaves = np.log2(np.maximum(frequencies, 1.0) / TILT_EDGES_HZ[1])
    shelf = np.tanh(octaves / TILT_OCTAVES)
    cut_db = WHISPER_CUT_DB * style.breathiness**4 / (1 + (frequencies / WHISPER_CUT_HZ) ** 4)
    goal, least, most = analysis.balance_db + style.tilt_db, -40.0, 40.0
    if not np.isfinite(goal):
        return output  # silence
    for _ in range(30):  # bisection: the balance rises steadily with the height of the shelf
        height = (least + most) / 2
        shaped = spectrum * 10 ** ((height * shelf - cut_db) / 20)
        least, most = (height, most) if _balance_db(shaped, frequencies) < goal else (least, height)
    return np.fft.irfft(shaped)[: output.size]


def _spectrum(samples: np.ndarray, sampling_rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Spectrum of all samples, zero padded to a power of two (at least 50 ms, so that filters do not wrap), and Hz."""
    points = 1 << (samples.size + sampling_rate // 20).bit_length()
    return np.fft.rfft(samples, points), np.fft.rfftfreq(points, 1 / sampling_rate)


def _balance_db(spectrum: np.ndarray, frequencies: np.ndarray) -> float:
    """Energy from 1 to 8 kHz relative to 60 Hz to 1 kHz, dB; not finite for silence."""
    low, middle, high = np.searchsorted(frequencies, TILT_EDGES_HZ)
    with np.errstate(divide="ignore", invalid="ignore"):
        power = np.abs(spectrum) ** 2
        return float(10 * np.log10(power[middle:high].sum() / power[low:middle].sum()))


def _level(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(samples**2)))
