"""Manners that people act: learnt from pairs of takes, read from prompts, and heard in edits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from synthetic_speech import speech_like

from latent_edit.axes import AXES, BREATHINESS, LEVEL, PITCH, TILT, AxisValue
from latent_edit.config import read_yaml
from latent_edit.data import acted_manners
from latent_edit.data.takes import TakePair
from latent_edit.editor import LatentEditor
from latent_edit.manners import (
    BAND_EDGES_HZ,
    FILE,
    PLACES,
    PROMPTS,
    SOUNDS,
    THIRDS,
    Manner,
    Take,
    digest,
    from_dict,
    load_manners,
    to_dict,
    write_manners,
)
from latent_edit.models.energies import energies
from latent_edit.optimize.corrections import correct
from latent_edit.optimize.decoder_params import SpeakerDecoder
from latent_edit.prompts.reader import MANNER_OF, read_prompt
from latent_edit.request import EditRequest
from latent_edit.success import outcomes
from latent_edit.synthesis import encode_text

TEXT = "The old clock on the wall had stopped."


def manner(seed: int = 0) -> Manner:
    random = np.random.default_rng(seed)
    mean = Take(random.normal(size=PLACES), random.normal(size=PLACES), random.normal(size=len(BAND_EDGES_HZ) - 1))
    rhythm = 0.2 * random.normal(size=(len(SOUNDS), THIRDS))
    return Manner({PITCH: 3.0, TILT: 2.0}, mean, random.normal(size=(2, 2, PLACES)), rhythm)


def test_what_is_shipped_has_every_manner_that_a_prompt_can_ask_for() -> None:
    manners = load_manners()
    assert set(PROMPTS.values()) == set(MANNER_OF.values()) == manners.keys()
    for each in manners.values():
        assert each.axes.keys() <= AXES.keys()
        assert each.middle.f0.shape == each.middle.energy.shape == (PLACES,)
        assert each.middle.balance.shape == (len(BAND_EDGES_HZ) - 1,) and each.modes.shape[1:] == (2, PLACES)
        assert each.rhythm.shape == (len(SOUNDS), THIRDS)


def test_other_random_numbers_are_other_takes_around_the_mean() -> None:
    one = manner()
    takes = [one.take(np.random.default_rng(seed)) for seed in range(400)]
    assert np.array_equal(takes[3].f0, one.take(np.random.default_rng(3)).f0)
    assert replace(one, middle=None).take(np.random.default_rng(0)) is None
    assert np.mean([take.energy for take in takes], axis=0) == pytest.approx(one.middle.energy, abs=0.3)
    assert np.std([take.f0 for take in takes], axis=0) == pytest.approx(np.hypot(*one.modes[:, 0]), rel=0.2)


def test_a_file_says_what_was_written(tmp_path: Path) -> None:
    write_manners({"angry": manner()}, ["a"], tmp_path / "manners.yaml")
    found = {name: from_dict(entry) for name, entry in read_yaml(tmp_path / "manners.yaml")["manners"].items()}
    assert digest(found) == digest({"angry": from_dict(to_dict(manner()))}) != digest({"angry": manner(1)})


@dataclass(frozen=True)
class Made:
    """A take that is made: `Utterance.read` is all that is asked of it."""

    pitch: float
    rises: bool = False
    bright: bool = False
    breathy: bool = False

    def read(self, rate: int) -> np.ndarray:
        speech = speech_like(3.0, rate, self.pitch)
        if self.breathy:
            noise = np.random.default_rng(0).normal(size=speech.size).astype(np.float32)
            speech = speech + 0.4 * speech.std() * noise
        if self.bright:
            speech = np.diff(speech, prepend=0.0).astype(np.float32)
        return speech * np.float32(10) ** np.linspace(-1.0, 0.0, speech.size) if self.rises else speech


def test_what_the_takes_have_in_common_is_learnt() -> None:
    plain: Any = [Made(pitch) for pitch in (110.0, 120.0, 130.0)]
    styled: Any = [replace(take, pitch=1.5 * take.pitch, rises=True, bright=True) for take in plain]
    pairs = [TakePair(a, b, "angry", None) for a, b in zip(plain, styled, strict=True)]
    found = acted_manners.learn(pairs)["angry"]
    assert found.axes[PITCH] == pytest.approx(12 * np.log2(1.5), abs=0.5) and found.axes[TILT] > 3
    assert np.corrcoef(found.middle.energy, np.arange(PLACES))[0, 1] > 0.7
    assert found.middle.balance[-1] > found.middle.balance[0] + 10
    assert np.abs(found.modes).max() < 0.5  # all do the same


def test_breath_is_learnt_from_the_harmonicity_that_goes_and_is_never_less_than_none() -> None:
    plain: Any = [Made(pitch) for pitch in (110.0, 120.0)]
    breathy: Any = [replace(take, breathy=True) for take in plain]

    def learnt(before: Any, after: Any) -> float:
        pairs = [TakePair(a, b, "sad", None) for a, b in zip(before, after, strict=True)]
        return acted_manners.learn(pairs)["sad"].axes[BREATHINESS]

    assert learnt(plain, breathy) > 0.2 and learnt(breathy, plain) == 0.0


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("sad", "sad"),
        ("a sad voice", "sad"),
        ("furious", "angry"),
        ("happily", "happy"),
        ("disgusted", "disgusted"),
        ("low and slow", None),
        ("sad and slow", None),
        ("angry, whispering", None),
        ("not sad", None),
        ("excited", None),
    ],
)
def test_a_prompt_that_names_nothing_but_an_emotion_asks_for_a_manner(prompt: str, expected: str | None) -> None:
    assert read_prompt(prompt).manner == expected


def test_what_the_page_offers_is_acted() -> None:
    assert {prompt: read_prompt(prompt).manner for prompt in PROMPTS} == PROMPTS
    assert read_prompt("disgusted", manners={"sad": manner()}).manner is None  # one that is not known stays its axes


def test_a_manner_has_its_own_axes_and_stronger_words_more_of_it() -> None:
    weak, plain, strong = (read_prompt(prompt) for prompt in ("a bit sad", "sad", "very sad"))
    acted = load_manners()["sad"].axes
    assert plain.manner_size == 1.0 and plain.value(TILT) == pytest.approx(acted[TILT])
    assert 0 < weak.manner_size < 1 and weak.value(PITCH) == pytest.approx(weak.manner_size * acted[PITCH])
    assert strong.manner_size > 1 and strong.value(PITCH) < plain.value(PITCH)
    assert plain.value(LEVEL) < 0  # as the lexicon says: acted speech was levelled
    other = read_prompt("sad", manners={"sad": manner()})
    assert other.value(TILT) == 2.0


@pytest.mark.shipped
def test_an_edit_has_the_energy_and_the_f0_of_a_take(shipped_editor: LatentEditor) -> None:
    """Both fall where the take falls, whatever the plain synthesis does; the balance follows too."""
    vits = shipped_editor.vits
    source = encode_text(vits, TEXT, "sam_a", 0).latents[0]
    voice = SpeakerDecoder.of(vits, "sam_a")
    slope = np.linspace(-0.7, 0.7, PLACES)
    balance = np.where(np.arange(len(BAND_EDGES_HZ) - 1) < 5, -3.0, 3.0)
    asked = {name: AxisValue(0.0, axis.floor) for name, axis in AXES.items()} | {PITCH: AxisValue(3.0, 3.0)}
    over_time, bands, f0 = [], [], []
    for sign in (1, -1):
        take = Take(sign * slope, sign * slope, sign * balance)
        edited = correct(vits, source, source, source, asked, "sam_a", take=take)
        found = energies(vits.decode(edited, "sam_a"), energies(vits.decode(source, "sam_a")))
        over_time.append(found.over_time)
        bands.append(found.over_bands)
        contour = voice.f0(edited.z)[0]
        halves = [part[part > 0].log2().mean() for part in contour.chunk(2)]
        f0.append(float(12 * (halves[1] - halves[0])))
    rising = torch.stack(over_time).diff(dim=0)[0].neg()
    assert np.corrcoef(rising, slope)[0, 1] > 0.8 and rising[-4:].mean() - rising[:4].mean() > 4
    brighter = torch.stack(bands).diff(dim=0)[0].neg()
    assert brighter[5:].mean() - brighter[:5].mean() > 3
    assert f0[0] - f0[1] > 1


@pytest.mark.shipped
def test_seeds_act_differently_and_the_prompt_decides(shipped_editor: LatentEditor) -> None:
    asked = EditRequest(text=TEXT, voice="sam_a", prompt="angry", steps=1)
    style = shipped_editor._embed_style(asked)
    takes = [shipped_editor._take(style, replace(asked, seed=seed), 0) for seed in (0, 1)]
    assert takes[0] is not None and takes[1] is not None and not np.array_equal(takes[0].f0, takes[1].f0)
    whisper = replace(asked, prompt="a whisper")
    assert shipped_editor._take(shipped_editor._embed_style(whisper), whisper, 0) is None


@pytest.mark.shipped
@pytest.mark.parametrize(
    ("changed", "size"),
    [
        ({}, 1.0),
        ({"strength": 0.5}, 0.5),
        ({"pace": 1.3}, 1.0),
        ({"guidance": 0.0}, None),
        ({"correction": False}, None),
        ({"method": "palette"}, None),
        ({"prompt": "a whisper"}, None),
    ],
)
def test_what_is_acted_has_a_rhythm(shipped_editor: LatentEditor, changed: dict[str, Any], size: float | None) -> None:
    request = replace(EditRequest(text=TEXT, voice="sam_a", prompt="sad"), **changed)
    timing = shipped_editor._timing(request, shipped_editor._embed_style(request))
    if size is None:
        assert not timing.rhythm.any()
    else:
        assert timing.rhythm == pytest.approx(size * load_manners()["sad"].rhythm)
    if "pace" in changed:
        assert timing.log_ratio == pytest.approx(np.log(1.3))


@pytest.mark.shipped
def test_without_strength_an_acted_question_is_the_plain_one(shipped_editor: LatentEditor) -> None:
    asked = EditRequest(text="Is it late?", voice="sam_a", prompt="sad", strength=0.0, steps=1)
    result = shipped_editor.edit(asked)
    assert torch.equal(result.z_text.z, result.z_edit.z)


def test_the_file_names_the_actors() -> None:
    assert len(read_yaml(FILE)["actors"]) == 10


@pytest.mark.shipped
@pytest.mark.parametrize("axes", [{LEVEL: 6.0, TILT: 3.0}, {LEVEL: 6.0}, {BREATHINESS: 1.0}])
def test_axes_by_hand_hold_in_an_acted_edit(shipped_editor: LatentEditor, axes: dict[str, float]) -> None:
    request = EditRequest(text=TEXT, voice="sam_a", prompt="angry", steps=2, axes=axes)
    result = shipped_editor.edit(request)
    asked = result.asked
    found = outcomes(asked.values, result.measurements_before, result.measurements_after, asked.exact)
    assert all(outcome.good for outcome in found if outcome.name in axes), found
    assert result.measurements_after.level_db is not None and result.measurements_before.level_db is not None
    assert result.measurements_after.level_db > result.measurements_before.level_db - 6


@pytest.mark.shipped
def test_only_what_is_acted_depends_on_the_manners(shipped_editor: LatentEditor) -> None:
    hashes = [set(shipped_editor.hashes("i2sb", prompt)) for prompt in ("", "a whisper", "sad")]
    assert hashes[0] == hashes[1] == hashes[2] - {"manners"} != hashes[2]
