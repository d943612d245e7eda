"""What a listener would call pitch, pace, loudness, effort and voicing, measured on audio. "Not measured" is None."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FRAME_SECONDS = 0.010  # one value of every contour
WINDOW_SECONDS = 0.025  # of the short-time spectra
ACTIVE_RANGE_DB = 30.0  # speech lies within this range below its loud frames; the rest is pause
SILENCE_DB = -70.0  # dBFS; nothing below it is speech
TILT_EDGES_HZ = (60.0, 1_000.0, 8_000.0)  # low band, high band: effort is the energy ratio of the second to the first
PITCH_LIMITS_HZ = (60.0, 600.0)  # of the first pass
TREMOR_BAND_HZ = (5.0, 8.0)
# Noise through a formant looks periodic for a moment; a voice stays periodic, and its pitch moves without leaps.
STEADY_SECONDS, STEADY_SEMITONES_PER_SECOND, STEADY_STRENGTH = 0.05, 250.0, 0.7
MIN_VOICED_SECONDS = 0.1  # less than this says nothing about a voice's pitch
MIN_VOICED_SHARE = 0.1  # nor do a few voiced frames in a whisper
MIN_TREMOR_SECONDS = 0.5  # of voiced speech: a few periods at 5 Hz
HARMONICITY_BAND_HZ = (1_000.0, 3_000.0)  # where breath is heard first; inside one band, tilt hardly matters
HARMONICITY_SECONDS, HARMONICITY_SEARCH_SECONDS = 0.03, 0.0002
TREND_SECONDS = 0.1  # standard deviation of the Gaussian that removes intonation before tremor is sought
TREMOR_RATES_HZ = np.arange(3.0, 12.01, 0.1)  # the band and its surroundings
TREMOR_LINE_HZ = 1.0  # rates this close to the strongest one belong to it


@dataclass(frozen=True)
class Measurements:
    """Each value is None where the audio does not allow it (no speech, no voicing, no phoneme count given).

    pitch_hz: median F0. pitch_range_semitones: 10th to 90th percentile of F0. pace_phonemes_per_second: over the
    whole clip. level_db: RMS over active speech, dBFS. tilt_db: energy of 1 to 8 kHz relative to 60 Hz to 1 kHz over
    active speech, "effort". voiced_share: 0 to 1, of active frames. harmonicity_db: harmonics-to-noise ratio
    between 1 and 3 kHz over voiced frames, low in a breathy voice. tremor_semitones: zero-to-peak F0 modulation
    between 5 and 8 Hz.
    """

    duration_seconds: float | None = None
    pitch_hz: float | None = None
    pitch_range_semitones: float | None = None
    pace_phonemes_per_second: float | None = None
    level_db: float | None = None
    tilt_db: float | None = None
    voiced_share: float | None = None
    harmonicity_db: float | None = None
    tremor_semitones: float | None = None


@dataclass(frozen=True)
class PitchTrack:
    """times: [F] seconds. frequencies: [F] Hz, zero where unvoiced. strengths: [F] its autocorrelation, 0 to 1."""

    times: np.ndarray
    frequencies: np.ndarray
    strengths: np.ndarray

    @property
    def voiced(self) -> np.ndarray:
        """[F] bool."""
        return self.frequencies > 0


NO_PITCH = PitchTrack(np.zeros(0), np.zeros(0), np.zeros(0))


@dataclass(frozen=True)
class Contours:
    """Pitch and level every 10 ms, each at its own seconds: pitch_hz [P], NaN without a steady voice; level_db [F],
    dBFS, NaN in pauses."""

    pitch_seconds: np.ndarray
    pitch_hz: np.ndarray
    level_seconds: np.ndarray
    level_db: np.ndarray


def contours(samples: np.ndarray, sampling_rate: int) -> Contours:
    """What `measure` sums up, over time; mono audio [N]. Never raises on short, silent or unvoiced audio."""
    samples = np.nan_to_num(np.asarray(samples, dtype=np.float64).reshape(-1))
    energies = _power_spectra(samples, sampling_rate)[0].sum(axis=1)
    active = active_frames(energies)
    track = track_pitch(samples, sampling_rate) if active.any() else NO_PITCH
    voiced = steady_voicing(track) & active[_frames_of(track, active.size)]
    pitch = np.where(voiced, track.frequencies, np.nan)
    level = np.where(active, 10 * np.log10(energies + 1e-12), np.nan)
    return Contours(track.times, pitch, np.arange(active.size) * FRAME_SECONDS, level)


def measure(samples: np.ndarray, sampling_rate: int, phonemes: int | None = None) -> Measurements:
    """Measure mono audio [N] in [-1, 1] (it may exceed it); `phonemes` is how many were spoken, if known.

    Never raises on short, silent or unvoiced audio: what cannot be measured is None.
    """
    samples = np.nan_to_num(np.asarray(samples, dtype=np.float64).reshape(-1))
    seconds = samples.size / sampling_rate
    if seconds == 0:
        return Measurements()
    pace = phonemes / seconds if phonemes else None
    powers, frequencies = _power_spectra(samples, sampling_rate)
    active = active_frames(powers.sum(axis=1))
    if not active.any():
        return Measurements(duration_seconds=seconds, pace_phonemes_per_second=pace)
    track = track_pitch(samples, sampling_rate)
    on_speech = active[_frames_of(track, active.size)]
    voiced = steady_voicing(track) & on_speech
    voiced_share = float(voiced.sum() / max(on_speech.sum(), 1))
    is_voice = voiced.sum() * FRAME_SECONDS >= MIN_VOICED_SECONDS and voiced_share >= MIN_VOICED_SHARE
    low, middle, high = np.percentile(track.frequencies[voiced], [10, 50, 90]) if is_voice else (1.0, 1.0, 1.0)
    return Measurements(
        duration_seconds=seconds,
        pitch_hz=float(middle) if is_voice else None,
        pitch_range_semitones=float(12 * np.log2(high / low)) if is_voice else None,
        pace_phonemes_per_second=pace,
        level_db=float(10 * np.log10(powers[active].sum(axis=1).mean())),
        tilt_db=_tilt(powers[active].sum(axis=0), frequencies),
        voiced_share=voiced_share,
        harmonicity_db=_harmonicity(samples, sampling_rate, track, voiced) if is_voice else None,
        tremor_semitones=_tremor(track, voiced) if is_voice else None,
    )


def _frames_of(track: PitchTrack, count: int) -> np.ndarray:
    """Which of `count` frames, centred every 10 ms, each value of a track belongs to, [F] int."""
    return np.clip(np.round(track.times / FRAME_SECONDS).astype(int), 0, count - 1)


def _power_spectra(samples: np.ndarray, sampling_rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Power spectra [F, bins] every 10 ms, centred; a row sums to the frame's mean square. Also the bins in Hz."""
    hop, width = round(FRAME_SECONDS * sampling_rate), round(WINDOW_SECONDS * sampling_rate)
    padded = np.pad(samples, (width // 2, width))
    frames = np.lib.stride_tricks.sliding_window_view(padded, width)[: samples.size + 1 : hop]
    window = np.hanning(width)
    powers = np.abs(np.fft.rfft(frames * window, axis=1)) ** 2
    powers[:, 1 : (width + 1) // 2] *= 2  # the negative frequencies
    return powers / (width * (window**2).sum()), np.fft.rfftfreq(width, 1 / sampling_rate)


def active_frames(energies: np.ndarray) -> np.ndarray:
    """Which frames are speech, [F] bool, from their mean squares [F]: within 30 dB of the 95th percentile."""
    levels = 10 * np.log10(energies + 1e-12)
    return levels > max(np.percentile(levels, 95) - ACTIVE_RANGE_DB, SILENCE_DB)


def _tilt(spectrum: np.ndarray, frequencies: np.ndarray) -> float | None:
    low_edge, middle, high_edge = TILT_EDGES_HZ
    low = spectrum[(frequencies >= low_edge) & (frequencies < middle)].sum()
    high = spectrum[(frequencies >= middle) & (frequencies <= high_edge)].sum()
    return float(10 * np.log10(high / low)) if low > 0 and high > 0 else None


def track_pitch(
    samples: np.ndarray,
    sampling_rate: int,
    step_seconds: float = FRAME_SECONDS,
    voicing_threshold: float = 0.45,
    silence_threshold: float = 0.03,
) -> PitchTrack:
    """F0 of mono audio [N] by Praat's autocorrelation, twice: the second pass searches only this voice's own range.

    The range is 0.72 times the 35th percentile less 10 Hz to 1.9 times the 65th percentile plus 10 Hz, which removes
    most octave errors (De Looze & Rauzy 2009, Interspeech, "Automatic detection and prediction of topic changes").
    The thresholds are Praat's own, on strength of voicing and on amplitude; lower ones call more frames voiced.
    """
    limits = PITCH_LIMITS_HZ
    first = _praat_pitch(samples, sampling_rate, step_seconds, limits, voicing_threshold, silence_threshold)
    steady = steady_voicing(first)
    if steady.sum() * step_seconds < MIN_VOICED_SECONDS:
        return first
    low, high = np.percentile(first.frequencies[steady], [35, 65])
    own = max(0.72 * low - 10, limits[0]), min(1.9 * high + 10, limits[1])
    return _praat_pitch(samples, sampling_rate, step_seconds, own, voicing_threshold, silence_threshold)


def _praat_pitch(
    samples: np.ndarray, rate: int, step: float, limits: tuple[float, float], voicing: float, silence: float
) -> PitchTrack:
    import parselmouth

    if samples.size < 3.1 * rate / limits[0]:  # Praat wants three periods of the floor
        return NO_PITCH
    pitch = parselmouth.Sound(samples.astype(np.float64), rate).to_pitch_ac(
        step,
        pitch_floor=limits[0],
        pitch_ceiling=limits[1],
        voicing_threshold=voicing,
        silence_threshold=silence,
    )
    found = pitch.selected_array
    return PitchTrack(pitch.xs(), found["frequency"], found["strength"])


def steady_voicing(track: PitchTrack) -> np.ndarray:
    """Voiced frames [F] bool that belong to a run of at least 50 ms without leaps and clearly periodic on average."""
    if track.times.size < 2:
        return np.zeros(track.times.size, dtype=bool)
    step = track.times[1] - track.times[0]
    semitones = _semitones(track.frequencies)
    linked = track.voiced[1:] & track.voiced[:-1] & (np.abs(np.diff(semitones)) < STEADY_SEMITONES_PER_SECOND * step)
    run = np.concatenate([[0], np.cumsum(~linked)])
    lengths = np.bincount(run)
    steady = (lengths >= STEADY_SECONDS / step - 1e-6) & (
        np.bincount(run, track.strengths) >= STEADY_STRENGTH * lengths
    )
    return track.voiced & steady[run]


def _semitones(frequencies: np.ndarray) -> np.ndarray:
    """Semitones above 1 Hz; 0 where unvoiced."""
    return 12 * np.log2(np.maximum(frequencies, 1.0))


def _harmonicity(samples: np.ndarray, sampling_rate: int, track: PitchTrack, voiced: np.ndarray) -> float:
    """Mean harmonics-to-noise ratio in dB of one band: r / (1 - r) (Boersma 1993, equation 4).

    r is the normalised correlation of 30 ms with what follows one period later, at the best lag near the tracked F0.
    """
    spectrum = np.fft.rfft(samples, samples.size + sampling_rate // 20)
    frequencies = np.fft.rfftfreq(samples.size + sampling_rate // 20, 1 / sampling_rate)
    spectrum[(frequencies < HARMONICITY_BAND_HZ[0]) | (frequencies > HARMONICITY_BAND_HZ[1])] = 0
    band = np.fft.irfft(spectrum)
    period = sampling_rate / track.frequencies[voiced]
    width = round(HARMONICITY_SECONDS * sampling_rate)
    starts = np.round(track.times[voiced] * sampling_rate - (period + width) / 2).astype(int)[:, None]
    here = band[np.clip(starts + np.arange(width), 0, band.size - 1)]
    search = max(1, round(HARMONICITY_SEARCH_SECONDS * sampling_rate))
    correlations = np.zeros((2 * search + 1, period.size))
    for index, shift in enumerate(range(-search, search + 1)):
        lag = np.round(period).astype(int)[:, None] + shift
        there = band[np.clip(starts + lag + np.arange(width), 0, band.size - 1)]
        energy = np.sqrt((here**2).sum(axis=1) * (there**2).sum(axis=1))
        correlations[index] = (here * there).sum(axis=1) / np.maximum(energy, 1e-20)
    best = np.clip(_parabolic_maximum(correlations), 0.01, 0.999)
    return float(np.mean(10 * np.log10(best / (1 - best))))


def _parabolic_maximum(values: np.ndarray) -> np.ndarray:
    """Maximum of each column of [K, F], between the samples by the parabola through the best and its neighbours."""
    best = np.clip(values.argmax(axis=0), 1, values.shape[0] - 2)
    left, middle, right = (np.take_along_axis(values, best[None] + offset, axis=0)[0] for offset in (-1, 0, 1))
    curvature = left - 2 * middle + right
    return np.where(curvature < 0, middle - (left - right) ** 2 / (8 * np.minimum(curvature, -1e-9)), middle)


def _tremor(track: PitchTrack, voiced: np.ndarray) -> float | None:
    """Zero-to-peak depth in semitones of the strongest regular F0 modulation between 5 and 8 Hz.

    Where F0 trembles, a periodogram of the voiced frames (intonation removed, gaps weigh nothing) has a line. The line
    is fitted and taken out, as in prewhitening of unevenly sampled series; what its surroundings still show is
    ordinary movement, and three times its mean is taken off the line's power, so that steady speech measures near 0.
    """
    if voiced.sum() * FRAME_SECONDS < MIN_TREMOR_SECONDS:
        return None
    movement = np.clip(_without_trend(_semitones(track.frequencies[voiced])[:, None], voiced)[:, 0], -4, 4)
    seconds = np.flatnonzero(voiced) * FRAME_SECONDS
    waves = np.exp(2j * np.pi * seconds[:, None] * TREMOR_RATES_HZ)
    low, high = np.searchsorted(TREMOR_RATES_HZ, TREMOR_BAND_HZ)
    peak = low + int(np.argmax(np.abs(movement @ waves[:, low:high])))
    line = _without_trend(np.stack([waves[:, peak].real, waves[:, peak].imag], axis=1), voiced)
    depths = np.linalg.lstsq(line, movement, rcond=None)[0]
    kept = 1 - np.exp(-2 * (np.pi * TREMOR_RATES_HZ * TREND_SECONDS) ** 2)  # what removing the trend leaves of a rate
    rest = (np.abs((movement - line @ depths) @ waves) * 2 / voiced.sum() / kept) ** 2
    surroundings = rest[np.abs(TREMOR_RATES_HZ - TREMOR_RATES_HZ[peak]) > TREMOR_LINE_HZ].mean()
    return float(np.sqrt(max(0.0, (depths**2).sum() - 3 * surroundings)))


def _without_trend(columns: np.ndarray, voiced: np.ndarray) -> np.ndarray:
    """Values at voiced frames [V, K] less their Gaussian average over voiced frames; voiced: [F] bool with V true."""
    reach = 4 * round(TREND_SECONDS / FRAME_SECONDS)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * FRAME_SECONDS / TREND_SECONDS) ** 2)
    spread = np.zeros((voiced.size, columns.shape[1] + 1))
    spread[voiced] = np.column_stack([columns, np.ones(len(columns))])
    smooth = np.stack([np.convolve(column, kernel)[reach : reach + voiced.size] for column in spread.T], axis=1)[voiced]
    return columns - smooth[:, :-1] / smooth[:, -1:]


def breath_share(sampling_rate: int, bins: int, breathiness: float) -> np.ndarray:
    """Share of the voice's power that breath turns into noise, 0 to 1, at `bins` frequencies up to half the rate.

    Breath fills the spectrum from the top downwards, at 1 all of it: aspiration noise masks the upper harmonics first
    (Klatt & Klatt 1990, JASA 87).
    """
    frequencies = np.maximum(np.linspace(0, sampling_rate / 2, bins), 1.0)
    edge = np.log2(8000.0) - breathiness * np.log2(8000.0 / 100.0)  # 8 kHz at 0 down to 100 Hz at 1
    share: np.ndarray = breathiness**0.5 / (1 + np.exp(-2.5 * (np.log2(frequencies) - edge)))
    return share
