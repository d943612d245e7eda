"""Where a latent lands: each axis where the style asks for it, as Praat measures it too, and nothing else moved."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_voices import ARCHITECTURE, tiny_voice, transformers_voice

from latent_edit.data.breath import with_breath
from latent_edit.data.styles import AXES
from latent_edit.evaluation.effects import effects
from latent_edit.measures import measure
from latent_edit.models.clap import AxisValue
from latent_edit.models.landing import CLEAR_DB, Listener, landed
from latent_edit.models.melody import depth
from latent_edit.models.projections import LONGEST_STEP, ROUNDS
from latent_edit.models.vits import FrozenVits, freeze
from latent_edit.pipeline import LatentEditor
from latent_edit.types import Latent

FRAMES = 60
LANDED = {"pitch_semitones": 0.3, "range_ratio_log2": 0.12, "level_db": 0.5, "tilt_db": 1.0, "tremor_semitones": 0.2}
SENTENCES = (
    "The old clock on the wall had stopped.",
    "We sailed into the harbour before dark.",
    "She bought a loaf of bread and some milk.",
    "Nobody told me that the bridge was closed.",
)


def asked(**values: float) -> dict[str, AxisValue]:
    """A style that asks for these values and for nothing on the other axes."""
    return {name: AxisValue(values.get(name, 0.0), axis.floor) for name, axis in AXES.items()}


def random_latent(seed: int = 0) -> Latent:
    z = torch.randn(1, ARCHITECTURE.flow_size, FRAMES, generator=torch.Generator().manual_seed(seed))
    return Latent(z, torch.ones(1, 1, FRAMES))


@pytest.fixture(scope="module")
def tiny() -> FrozenVits:
    return freeze(tiny_voice())


def test_it_is_deterministic_and_leaves_what_it_was_given(tiny: FrozenVits) -> None:
    source, edited = random_latent(), random_latent(1)
    start = edited.z.clone()
    style = asked(pitch_semitones=3.0, level_db=4.0)
    with torch.no_grad():  # as in an edit
        one = landed(tiny, source, source, edited, style, "anna")
    assert torch.equal(one.z, landed(tiny, source, source, edited, style, "anna").z)
    assert not torch.equal(one.z, start) and torch.equal(edited.z, start)
    assert torch.equal(one.mask, edited.mask)
    assert not one.z.requires_grad
    assert not torch.equal(one.z, landed(tiny, source, source, edited, style, "ben").z)


def test_a_goal_out_of_reach_does_not_throw_the_latent_away(tiny: FrozenVits) -> None:
    edited = random_latent()
    moved = landed(tiny, edited, edited, edited, asked(pitch_semitones=90.0, level_db=200.0), "anna").z - edited.z
    assert 0 < moved.square().mean().sqrt() <= 1.01 * 2 * ROUNDS * LONGEST_STEP


def test_what_is_there_already_stays(tiny: FrozenVits) -> None:
    latent = random_latent()
    assert landed(tiny, latent, latent, latent, asked(), "anna") is latent


def test_without_axes_or_a_source_filter_it_stays(tiny: FrozenVits, tmp_path: Path) -> None:
    latent = random_latent()
    for some in ({}, {"level_db": AxisValue(6.0, 4.0)}):
        assert landed(tiny, random_latent(1), random_latent(1), latent, some, "anna") is latent
    other = FrozenVits.load(transformers_voice(tmp_path, speakers=2))
    assert landed(other, random_latent(1), random_latent(1), latent, asked(level_db=6.0), 0) is latent


def test_a_whisper_has_no_melody_to_land() -> None:
    """Level and tilt of what is unvoiced are brought where they belong all the same."""
    voice = tiny_voice()
    with torch.no_grad():
        voice.decoder.pitch.output.bias[1] = -9.0
    vits, latent = freeze(voice), random_latent()
    assert Listener(vits, "anna").hear(latent.z).axes.keys() == {"level_db", "tilt_db"}
    louder = landed(vits, latent, latent, latent, asked(level_db=3.0, pitch_semitones=4.0), "anna")
    assert louder.z.isfinite().all() and not torch.equal(louder.z, latent.z)


@pytest.mark.shipped
class TestShipped:
    """By the shipped voice, whose decoder can do what it is asked for; in the mean of a few readings."""

    @pytest.fixture(scope="class")
    def vits(self, shipped_editor: LatentEditor) -> FrozenVits:
        return shipped_editor.vits

    @pytest.fixture(scope="class")
    def readings(self, vits: FrozenVits) -> list[Latent]:
        draws = [torch.Generator().manual_seed(seed) for seed in range(len(SENTENCES))]
        pairs = zip(map(vits.phonemize, SENTENCES), draws, strict=True)
        return [vits.encode_text(phonemes, "kathleen", generator=draw).latent for phonemes, draw in pairs]

    def heard(self, vits: FrozenVits, before: Latent, after: Latent) -> dict[str, float]:
        listener = Listener(vits, "kathleen")
        one, other = (listener.hear(latent.z).axes for latent in (before, after))
        return {axis: other[axis] - one[axis] for axis in one}

    def landing(self, vits: FrozenVits, source: Latent, edited: Latent, style: Mapping[str, AxisValue]) -> Latent:
        return landed(vits, source, source, edited, style, "kathleen")

    @pytest.mark.parametrize(
        "style",
        [
            {"pitch_semitones": 4.0},
            {"pitch_semitones": -3.0, "range_ratio_log2": -0.5},
            {"level_db": 6.0, "tilt_db": 5.0},
            {"level_db": -6.0},
            {"range_ratio_log2": 0.7},
        ],
    )
    def test_every_axis_lands_where_it_is_asked_for(
        self, vits: FrozenVits, readings: list[Latent], style: dict[str, float]
    ) -> None:
        """Judged by Praat, on what is spoken: nothing of that is used on the way."""
        missed: dict[str, list[float]] = {axis: [] for axis in LANDED}
        for reading in readings:
            after = self.landing(vits, reading, reading, asked(**style))
            clips = (vits.decode(latent, "kathleen").item(0).numpy() for latent in (reading, after))
            moved = effects(*(measure(clip, vits.sampling_rate) for clip in clips))
            for axis, values in missed.items():
                value = moved[axis]
                assert value is not None, axis
                values.append(abs(value - style.get(axis, 0.0)))
        for axis, tolerance in LANDED.items():
            assert np.mean(missed[axis]) < tolerance, axis

    def test_what_is_not_named_goes_back(self, vits: FrozenVits, readings: list[Latent]) -> None:
        missed: dict[str, list[float]] = {axis: [] for axis in ("pitch_semitones", "level_db", "tilt_db")}
        for reading in readings:
            louder = self.landing(vits, reading, reading, asked(level_db=8.0, tilt_db=6.0))
            assert self.heard(vits, reading, louder)["level_db"] > 7.0
            moved = self.heard(vits, reading, self.landing(vits, reading, louder, asked(pitch_semitones=3.0)))
            for axis, values in missed.items():
                values.append(abs(moved[axis] - (3.0 if axis == "pitch_semitones" else 0.0)))
        for axis, values in missed.items():
            assert np.mean(values) < LANDED[axis], axis

    def test_how_far_it_goes_is_the_edits_own_affair_up_to_twice(
        self, vits: FrozenVits, readings: list[Latent]
    ) -> None:
        """Between the least and twice the style's size an edit stays where it is."""
        style, pitch = asked(pitch_semitones=3.0), "pitch_semitones"
        reached: dict[float, list[float]] = {2.0: [], 4.0: [], 8.0: []}
        with_less = []
        for reading in readings:
            starts = {size: self.landing(vits, reading, reading, asked(pitch_semitones=size)) for size in reached}
            for size, start in starts.items():
                reached[size].append(self.heard(vits, reading, self.landing(vits, reading, start, style))[pitch])
            less = landed(vits, reading, reading, starts[2.0], style, "kathleen", least=0.5)
            with_less.append(self.heard(vits, reading, less)[pitch])
        means = {size: float(np.mean(values)) for size, values in reached.items()}
        assert means == pytest.approx({2.0: 3.0, 4.0: 4.0, 8.0: 6.0}, abs=0.3)
        assert np.mean(with_less) == pytest.approx(2.0, abs=0.2)

    def test_a_tremor_comes_and_the_range_stays(self, vits: FrozenVits, readings: list[Latent]) -> None:
        """As deep as asked for, beside what was there; then back to less; not asked for, most of it goes."""
        listener = Listener(vits, "kathleen")
        kept: dict[str, list[float]] = {"range_ratio_log2": [], "pitch_semitones": []}
        depths: list[float] = []

        def tremor(latent: Latent) -> float:
            return 12 * depth(listener.hear(latent.z).wave)

        for reading in readings:
            own = tremor(reading)
            assert own < 1.6 / 2
            trembling = self.landing(vits, reading, reading, asked(tremor_semitones=1.6))
            depths.append(tremor(trembling))
            assert 0.7 < depths[-1] / math.hypot(own, 1.6) < 1.1
            moved = self.heard(vits, reading, trembling)
            for axis, values in kept.items():
                values.append(abs(moved[axis]))
            less = self.landing(vits, reading, trembling, asked(tremor_semitones=0.8))
            assert tremor(less) == pytest.approx(math.hypot(own, 0.8), abs=0.2)
            steady = self.landing(vits, reading, less, asked())
            assert tremor(steady) - own < 0.5 * (tremor(less) - own)
        assert np.mean(depths) == pytest.approx(1.6, abs=0.2)
        assert np.mean(kept["range_ratio_log2"]) < AXES["range_ratio_log2"].tolerance
        assert np.mean(kept["pitch_semitones"]) < LANDED["pitch_semitones"]

    def test_nothing_is_asked_for_without_guidance(self, vits: FrozenVits, readings: list[Latent]) -> None:
        """The least is then nothing, and what has not moved stays."""
        reading = readings[0]
        style = asked(pitch_semitones=4.0, level_db=6.0)
        still = landed(vits, reading, reading, reading, style, "kathleen", least=0.0)
        assert still is reading

    def test_there_is_as_much_breath_as_asked_for(self, vits: FrozenVits, readings: list[Latent]) -> None:
        """From too much and from none; of a whisper it is not asked how clear it is."""
        listener = Listener(vits, "kathleen")
        for reading in readings[:2]:
            drowned = with_breath(vits, reading, "kathleen", 0.8)
            wanted = listener.clear_with(reading.z, 0.5)
            assert listener.hear(drowned.z).clearness < wanted - 4 < wanted + 4 < listener.hear(reading.z).clearness
            for start in (reading, drowned):
                landing = self.landing(vits, reading, start, asked(breathiness=0.5))
                assert listener.hear(landing.z).clearness == pytest.approx(wanted, abs=1.5)
            whispered = self.landing(vits, reading, drowned, asked(breathiness=1.0))
            assert listener.hear(whispered.z).clearness < wanted - 4

    def test_breath_that_is_not_asked_for_drowns_nothing(self, vits: FrozenVits, readings: list[Latent]) -> None:
        """The first harmonics stay clear."""
        listener = Listener(vits, "kathleen")
        for reading in readings[:2]:
            drowned = with_breath(vits, reading, "kathleen", 0.8)
            assert listener.hear(drowned.z).clearness < CLEAR_DB - 2
            landing = self.landing(vits, reading, drowned, asked(pitch_semitones=2.0))
            assert listener.hear(landing.z).clearness > CLEAR_DB - 1
