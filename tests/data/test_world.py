"""Each axis does what it says, as `measures` hears it, and leaves the others alone."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic_speech import speech_like

from latent_edit.axes import AXES
from latent_edit.config import preset_prompts
from latent_edit.data.styles import Style
from latent_edit.data.world import Analysis, analyse, synthesise
from latent_edit.errors import InputError
from latent_edit.measures import Measurements, measure

RATE = 16_000
# How exactly an axis lands on this clean signal, in its own unit. Real recordings scatter about twice as much.
EXACTNESS = {
    "pitch_semitones": 0.3,
    "range_ratio_log2": 0.2,
    "pace_log_ratio": 0.005,
    "level_db": 0.6,
    "tilt_db": 0.6,
    "tremor_semitones": 0.35,
}


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    return analyse(speech_like(4.0), RATE)


@pytest.fixture(scope="module")
def before() -> Measurements:
    return measure(speech_like(4.0), RATE)


def moves(before: Measurements, after: Measurements) -> dict[str, float]:
    """What was heard to change, in the units of the axes; breathiness as the loss of voiced share."""
    changes = {
        "pace_log_ratio": np.log(after.duration_seconds / before.duration_seconds),
        "level_db": after.level_db - before.level_db,
        "tilt_db": after.tilt_db - before.tilt_db,
        "breathiness": before.voiced_share - after.voiced_share,
    }
    if after.pitch_hz is not None:
        changes["pitch_semitones"] = 12 * np.log2(after.pitch_hz / before.pitch_hz)
        changes["range_ratio_log2"] = np.log2(after.pitch_range_semitones / before.pitch_range_semitones)
        changes["tremor_semitones"] = after.tremor_semitones - before.tremor_semitones
    return changes


def check(analysis: Analysis, before: Measurements, style: Style) -> Measurements:
    """Render, and assert that named axes land and the others stay within their tolerance."""
    augmentation = synthesise(analysis, style)
    after = measure(augmentation, RATE)
    for name, change in moves(before, after).items():
        if name in EXACTNESS and name in style.named_axes:
            assert change == pytest.approx(getattr(style, name), abs=EXACTNESS[name]), name
        elif name not in style.named_axes:
            assert abs(change) < AXES[name].tolerance, name
    return after


def test_neutral_leaves_everything_alone(analysis, before):
    after = check(analysis, before, Style())
    assert moves(before, after)["level_db"] == pytest.approx(0, abs=0.3)
    assert moves(before, after)["pitch_semitones"] == pytest.approx(0, abs=0.2)


@pytest.mark.parametrize(
    ("axis", "value"),
    [
        ("pitch_semitones", -6.0),
        ("pitch_semitones", 3.0),
        ("pitch_semitones", 8.0),
        ("range_ratio_log2", -2.0),
        ("range_ratio_log2", -0.7),
        ("range_ratio_log2", 0.8),
        ("pace_log_ratio", -0.5),
        ("pace_log_ratio", 0.2),
        ("pace_log_ratio", 0.5),
        ("level_db", -10.0),
        ("level_db", 9.0),
        ("tilt_db", -8.0),
        ("tilt_db", 9.0),
        ("tremor_semitones", 0.8),
        ("tremor_semitones", 2.0),
    ],
)
def test_one_axis_lands_and_the_others_stay(analysis, before, axis, value):
    check(analysis, before, Style(**{axis: value}))


@pytest.mark.parametrize("prompt", preset_prompts())
def test_presets_land(analysis, before, prompt):
    check(analysis, before, Style.named(prompt))


def test_a_full_whisper_has_no_voice(analysis, before):
    after = check(analysis, before, Style(breathiness=1.0))
    assert after.voiced_share < 0.05
    assert after.pitch_hz is None


def test_breathiness_grows_steadily(analysis):
    noisy = [measure(synthesise(analysis, Style(breathiness=value)), RATE) for value in (0.0, 0.2, 0.35, 0.5)]
    harmonicity = [measured.harmonicity_db for measured in noisy]
    assert np.all(np.diff(harmonicity) < -1.0), harmonicity
    assert noisy[-1].voiced_share > 0.5 * noisy[0].voiced_share  # half way is breathy, not yet a whisper


@pytest.mark.parametrize("pace", [-0.4, 0.0, 0.3])
def test_the_time_warp_is_exact(analysis, pace):
    source = speech_like(4.0)
    augmentation = synthesise(analysis, Style(pace_log_ratio=pace))
    assert augmentation.size == round(source.size * np.exp(pace))

    def loudness(samples: np.ndarray, seconds: np.ndarray) -> np.ndarray:
        smooth = np.sqrt(np.convolve(samples**2, np.ones(160) / 160, "same"))
        return np.interp(seconds, np.arange(samples.size) / RATE, smooth)

    heard = np.arange(0.1, augmentation.size / RATE - 0.1, 0.002)

    def likeness(delay: float) -> float:
        there = loudness(source, (heard + delay) / np.exp(pace))
        return float(np.corrcoef(loudness(augmentation, heard), there)[0, 1])

    likenesses = {delay: likeness(delay) for delay in (-0.02, -0.01, 0.0, 0.01, 0.02)}
    assert max(likenesses, key=lambda delay: likenesses[delay]) == 0.0
    assert likenesses[0.0] > 0.95


def test_rendering_repeats_and_is_float32(analysis):
    style = Style(pitch_semitones=2.0, breathiness=0.6, level_db=10.0)
    first, second = synthesise(analysis, style), synthesise(analyse(speech_like(4.0), RATE), style)
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, second)


def test_a_shout_may_exceed_full_scale():
    assert np.abs(synthesise(analyse(speech_like(1.0) * 4, RATE), Style(level_db=8.0))).max() > 1.0


def test_another_sampling_rate():
    sound = speech_like(4.0, rate=24_000)
    style = Style(pitch_semitones=4.0, tilt_db=-5.0)
    augmentation = synthesise(analyse(sound, 24_000), style)
    change = moves(measure(sound, 24_000), measure(augmentation, 24_000))
    assert change["pitch_semitones"] == pytest.approx(4.0, abs=0.3)
    assert change["tilt_db"] == pytest.approx(-5.0, abs=0.6)


@pytest.mark.parametrize("style", [Style(), Style.named("an angry shout"), Style.named("a whisper")])
def test_silence_and_noise_survive(style):
    silence = synthesise(analyse(np.zeros(RATE // 2, dtype=np.float32), RATE), style)
    assert np.all(np.isfinite(silence)) and np.abs(silence).max() < 1e-3
    noise = np.random.default_rng(0).standard_normal(RATE // 2).astype(np.float32) * 0.1
    hiss = synthesise(analyse(noise, RATE), style)
    assert np.all(np.isfinite(hiss)) and np.std(hiss) == pytest.approx(0.1 * 10 ** (style.level_db / 20), rel=0.05)


def test_too_short_to_analyse():
    with pytest.raises(InputError, match=r"0\.050 s is too short.*at least 0\.1 s"):
        analyse(np.zeros(800, dtype=np.float32), RATE)
