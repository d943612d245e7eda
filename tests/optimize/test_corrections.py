"""Attribute correction: each axis where the style asks for it, as Praat measures it too, and nothing else moved."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_voices import ARCHITECTURE, tiny_voice, transformers_voice
from torch import Tensor

from latent_edit.axes import AXES, AxisValue
from latent_edit.editor import LatentEditor
from latent_edit.evaluation.effects import effects
from latent_edit.measures import measure
from latent_edit.models.f0_contours import modulation_depth
from latent_edit.models.vits import FrozenVits, freeze
from latent_edit.optimize.corrections import CLEAR_DB, Attributes, breathy, correct, natural_f0
from latent_edit.optimize.decoder_params import SpeakerDecoder
from latent_edit.optimize.solvers import LONGEST_STEP, ROUNDS
from latent_edit.types import Latent

FRAMES = 60
TOLERANCES = {
    "pitch_semitones": 0.3,
    "range_ratio_log2": 0.12,
    "level_db": 0.5,
    "tilt_db": 1.0,
    "tremor_semitones": 0.2,
}
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


def attributes(vits: FrozenVits, latent: Latent, speaker: str = "kathleen") -> Attributes:
    with torch.no_grad():
        return Attributes.of(SpeakerDecoder.of(vits, speaker), latent.z, vits.frames_per_second)


def hnr(vits: FrozenVits, latent: Latent, speaker: str = "kathleen") -> Tensor:
    with torch.no_grad():
        return SpeakerDecoder.of(vits, speaker).analyse(latent.z).hnr


@pytest.fixture(scope="module")
def tiny() -> FrozenVits:
    return freeze(tiny_voice())


def test_it_is_deterministic_and_leaves_what_it_was_given(tiny: FrozenVits) -> None:
    source, edited = random_latent(), random_latent(1)
    start = edited.z.clone()
    style = asked(pitch_semitones=3.0, level_db=4.0)
    with torch.no_grad():  # as in an edit
        one = correct(tiny, source, source, edited, style, "anna", reach=1.0)
    assert torch.equal(one.z, correct(tiny, source, source, edited, style, "anna", reach=1.0).z)
    assert not torch.equal(one.z, start) and torch.equal(edited.z, start)
    assert torch.equal(one.mask, edited.mask)
    assert not one.z.requires_grad
    assert not torch.equal(one.z, correct(tiny, source, source, edited, style, "ben", reach=1.0).z)


def test_an_objective_out_of_reach_does_not_throw_the_latent_away(tiny: FrozenVits) -> None:
    edited = random_latent()
    style = asked(pitch_semitones=90.0, level_db=200.0)
    moved = correct(tiny, edited, edited, edited, style, "anna", reach=1.0).z - edited.z
    assert 0 < moved.square().mean().sqrt() <= 1.01 * 2 * ROUNDS * LONGEST_STEP


def test_less_than_no_breath_is_no_breath(tiny: FrozenVits) -> None:
    source, edited = random_latent(), random_latent(1)
    none, less = (
        correct(tiny, source, source, edited, asked(level_db=4.0, breathiness=b, tremor_semitones=b), "anna", reach=1.0)
        for b in (0.0, -0.6)
    )
    assert torch.equal(none.z, less.z)


def test_what_is_there_already_stays(tiny: FrozenVits) -> None:
    latent = random_latent()
    assert correct(tiny, latent, latent, latent, asked(), "anna") is latent


def test_without_axes_or_a_source_filter_it_stays(tiny: FrozenVits, tmp_path: Path) -> None:
    latent = random_latent()
    for some in ({}, {"level_db": AxisValue(6.0, 4.0)}):
        assert correct(tiny, random_latent(1), random_latent(1), latent, some, "anna") is latent
    other = FrozenVits.load(transformers_voice(tmp_path, speakers=2))
    assert correct(other, random_latent(1), random_latent(1), latent, asked(level_db=6.0), 0) is latent


def test_a_whisper_has_no_f0_to_correct() -> None:
    """Level and tilt of what is unvoiced are brought where they belong all the same."""
    voice = tiny_voice()
    with torch.no_grad():
        voice.decoder.pitch.output.bias[1] = -9.0
    vits, latent = freeze(voice), random_latent()
    assert attributes(vits, latent, "anna").axes.keys() == {"level_db", "tilt_db"}
    louder = correct(vits, latent, latent, latent, asked(level_db=3.0, pitch_semitones=4.0), "anna", reach=1.0)
    assert louder.z.isfinite().all() and not torch.equal(louder.z, latent.z)


@pytest.mark.shipped
class TestShipped:
    """By the shipped voice, whose decoder can do what it is asked for; in the mean of a few sources."""

    @pytest.fixture(scope="class")
    def vits(self, shipped_editor: LatentEditor) -> FrozenVits:
        return shipped_editor.vits

    @pytest.fixture(scope="class")
    def sources(self, vits: FrozenVits) -> list[Latent]:
        draws = [torch.Generator().manual_seed(seed) for seed in range(len(SENTENCES))]
        pairs = zip(map(vits.phonemize, SENTENCES), draws, strict=True)
        encoded = [vits.encode_text(phonemes, "kathleen", generator=draw).latent for phonemes, draw in pairs]
        return [natural_f0(vits, latent, "kathleen") for latent in encoded]

    def effects(self, vits: FrozenVits, before: Latent, after: Latent) -> dict[str, float]:
        one, other = (attributes(vits, latent).axes for latent in (before, after))
        return {axis: other[axis] - one[axis] for axis in one}

    def corrected(self, vits: FrozenVits, source: Latent, edited: Latent, style: Mapping[str, AxisValue]) -> Latent:
        return correct(vits, source, source, edited, style, "kathleen", reach=1.0)

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
    def test_every_axis_is_where_it_is_asked_for(
        self, vits: FrozenVits, sources: list[Latent], style: dict[str, float]
    ) -> None:
        """Judged by Praat, on what is spoken: nothing of that is used on the way."""
        missed: dict[str, list[float]] = {axis: [] for axis in TOLERANCES}
        for source in sources:
            after = self.corrected(vits, source, source, asked(**style))
            clips = (vits.decode(latent, "kathleen").item(0).numpy() for latent in (source, after))
            moved = effects(*(measure(clip, vits.sampling_rate) for clip in clips))
            for axis, values in missed.items():
                value = moved[axis]
                assert value is not None, axis
                values.append(abs(value - style.get(axis, 0.0)))
        for axis, tolerance in TOLERANCES.items():
            assert np.mean(missed[axis]) < tolerance, axis

    def test_what_is_not_named_goes_back(self, vits: FrozenVits, sources: list[Latent]) -> None:
        missed: dict[str, list[float]] = {axis: [] for axis in ("pitch_semitones", "level_db", "tilt_db")}
        for source in sources:
            louder = self.corrected(vits, source, source, asked(level_db=8.0, tilt_db=6.0))
            assert self.effects(vits, source, louder)["level_db"] > 7.0
            moved = self.effects(vits, source, self.corrected(vits, source, louder, asked(pitch_semitones=3.0)))
            for axis, values in missed.items():
                values.append(abs(moved[axis] - (3.0 if axis == "pitch_semitones" else 0.0)))
        for axis, values in missed.items():
            assert np.mean(values) < TOLERANCES[axis], axis

    def test_how_far_it_goes_is_the_bridges_affair_up_to_twice(self, vits: FrozenVits, sources: list[Latent]) -> None:
        """From the style's size to twice of it an edit stays where it is."""
        style = asked(pitch_semitones=4.0, level_db=5.0)
        for reach in (0.5, 1.0, 1.5, 3.0):
            moved = []
            for source in sources:
                start = correct(vits, source, source, source, style, "kathleen", reach=reach)
                corrected = correct(vits, source, source, start, style, "kathleen")
                moved.append(self.effects(vits, source, corrected))
            expected = min(max(reach, reach**0.5), 2.0)  # half of what it falls short is made up
            assert np.mean([m["pitch_semitones"] for m in moved]) == pytest.approx(4.0 * expected, abs=0.4), reach
            assert np.mean([m["level_db"] for m in moved]) == pytest.approx(5.0 * expected, abs=0.6), reach

    def test_one_axis_that_lags_gets_the_share_of_the_others(self, vits: FrozenVits, sources: list[Latent]) -> None:
        """Of a style of two equal axes, of which the bridge did one alone, both end at the same share of their size."""
        style = asked(pitch_semitones=6.0, level_db=8.0)
        moved = []
        for source in sources:
            start = correct(vits, source, source, source, asked(pitch_semitones=6.0), "kathleen", reach=1.0)
            moved.append(self.effects(vits, source, correct(vits, source, source, start, style, "kathleen")))
        assert np.mean([m["pitch_semitones"] for m in moved]) == pytest.approx(6.0 * 0.5**0.5, abs=0.5)
        assert np.mean([m["level_db"] for m in moved]) == pytest.approx(8.0 * 0.5**0.5, abs=0.7)

    def test_an_edit_that_did_nothing_stays(self, vits: FrozenVits, sources: list[Latent]) -> None:
        style = asked(pitch_semitones=4.0, level_db=6.0, breathiness=0.5)
        still = correct(vits, sources[0], sources[0], sources[0], style, "kathleen")
        assert max(map(abs, self.effects(vits, sources[0], still).values())) < 0.5

    def test_a_tremor_comes_and_the_range_stays(self, vits: FrozenVits, sources: list[Latent]) -> None:
        """As deep as asked for, beside what was there; then less; not asked for, most of it goes, or comes back."""
        kept: dict[str, list[float]] = {"range_ratio_log2": [], "pitch_semitones": []}
        depths: list[float] = []

        def tremor(latent: Latent) -> float:
            return 12 * modulation_depth(attributes(vits, latent).f0.wave)

        for source in sources:
            own = tremor(source)
            assert own < 1.6 / 2
            trembling = self.corrected(vits, source, source, asked(tremor_semitones=1.6))
            depths.append(tremor(trembling))
            assert 0.7 < depths[-1] / math.hypot(own, 1.6) < 1.1
            moved = self.effects(vits, source, trembling)
            for axis, values in kept.items():
                values.append(abs(moved[axis]))
            less = self.corrected(vits, source, trembling, asked(tremor_semitones=0.8))
            assert tremor(less) == pytest.approx(math.hypot(own, 0.8), abs=0.2)
            steady = self.corrected(vits, source, less, asked())
            assert tremor(steady) - own < 0.5 * (tremor(less) - own)
            restored = self.corrected(vits, less, source, asked())  # up to twice as deep as the edit left it
            assert tremor(restored) > own + 0.25 * (min(2 * own, tremor(less)) - own)
        assert np.mean(depths) == pytest.approx(1.6, abs=0.2)
        assert np.mean(kept["range_ratio_log2"]) < AXES["range_ratio_log2"].tolerance
        assert np.mean(kept["pitch_semitones"]) < TOLERANCES["pitch_semitones"]

    def test_there_is_as_much_breath_as_asked_for(self, vits: FrozenVits, sources: list[Latent]) -> None:
        """From too much and from none, among the first harmonics and above; of a whisper it is not asked."""
        for source in sources[:2]:
            drowned = breathy(vits, source, "kathleen", 0.8)
            wanted = SpeakerDecoder.of(vits, "kathleen").analyse(source.z).breathy(0.5).hnr
            assert torch.all(hnr(vits, drowned) < wanted - 1.5)
            assert torch.all(hnr(vits, source) > wanted + 1.5)
            for start in (source, drowned):
                corrected = self.corrected(vits, source, start, asked(breathiness=0.5))
                torch.testing.assert_close(hnr(vits, corrected), wanted, atol=1.5, rtol=0)
            whispered = self.corrected(vits, source, drowned, asked(breathiness=1.0))
            assert hnr(vits, whispered)[0] < wanted[0] - 4

    def test_breath_that_is_not_asked_for_is_taken_back(self, vits: FrozenVits, sources: list[Latent]) -> None:
        """The first harmonics stay clear, and what is above them as clear as it was."""
        for source in sources[:2]:
            drowned = breathy(vits, source, "kathleen", 0.8)
            least = torch.minimum(hnr(vits, source), torch.tensor(CLEAR_DB))
            assert torch.all(hnr(vits, drowned) < least - 2)
            corrected = self.corrected(vits, source, drowned, asked(pitch_semitones=2.0))
            assert torch.all(hnr(vits, corrected) > least - 1)
