"""Every control is another clip of the same trial, and does what its name says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic_speech import speech_like

from latent_edit.data.styles import Style
from latent_edit.evaluation.clips import Edit, PlainSynthesis, Recording, WorldEdit
from latent_edit.evaluation.controls import DEFAULT, SHUFFLED, CorrectionAlone, WorldClosedLoop, shuffle, systems
from latent_edit.evaluation.effects import effects
from latent_edit.evaluation.plan import QUICK, make_plan, presets
from latent_edit.measures import measure
from latent_edit.request import EditRequest

RATE = 16_000
REQUEST = EditRequest(text="Hello there.", voice="kathleen", prompt="calm and deep", seed=3)


def test_each_system_makes_another_clip_of_the_same_plain_synthesis() -> None:
    plan = make_plan(["anna"], QUICK, None, {prompt: Style() for prompt in presets()}, ["i2sb", "palette"])
    clips = {system.name: system.clip(Edit(REQUEST)) for system in systems(plan)}
    assert next(iter(clips)) == DEFAULT and clips[DEFAULT] == Edit(REQUEST)
    assert len(set(clips.values())) == len(clips) == 10
    assert {clip.text for clip in clips.values()} == {REQUEST.text}
    assert clips["identity"] == PlainSynthesis(REQUEST.text, REQUEST.voice, REQUEST.seed)
    assert clips["bridge alone"] == Edit(replace(REQUEST, correction=False))
    assert clips["one step"] == Edit(replace(REQUEST, steps=1))
    assert clips["palette"] == Edit(replace(REQUEST, method="palette"))
    shuffled: Any = clips[SHUFFLED]
    assert shuffled.request.prompt != REQUEST.prompt and shuffled.request.prompt in presets()


def test_without_an_axis_head_world_is_left_out() -> None:
    plan = make_plan(["anna"], QUICK, None, {})
    assert not [system for system in systems(plan) if "WORLD" in system.name]


@pytest.mark.parametrize("count", [2, 3, 11])
def test_no_prompt_stands_in_for_itself(count: int) -> None:
    prompts = [str(number) for number in range(count)]
    shuffled = shuffle(prompts)
    assert sorted(shuffled.values()) == sorted(prompts)
    assert all(one != other for one, other in shuffled.items())


def test_a_closed_loop_misses_less(tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    pytest.importorskip("pyworld")
    soundfile.write(tmp_path / "one.wav", speech_like(2.0), RATE)
    source: Any = Recording(tmp_path / "one.wav", "anna", "One.")
    style, editor = Style(range_ratio_log2=0.8, tremor_semitones=1.5), object()
    before = measure(source.render(editor).samples, RATE)
    missed = []
    for clip in (WorldEdit(source, style), WorldClosedLoop(source, style)):
        found = effects(before, measure(clip.render(editor).samples, RATE))  # type: ignore[arg-type]
        missed.append(abs((found["tremor_semitones"] or 0.0) - style.tremor_semitones))
    assert missed[1] < missed[0]


@pytest.mark.shipped
def test_the_correction_alone_reaches_pitch_and_pace_without_a_bridge(
    shipped_editor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Edit(REQUEST).render(shipped_editor)
    before = measure(Edit(REQUEST).before.render(shipped_editor).samples, RATE)
    monkeypatch.setattr(type(shipped_editor.bridge("i2sb")), "sample", lambda *_, **__: pytest.fail("a bridge"))
    alone = CorrectionAlone(REQUEST).render(shipped_editor)
    found = effects(before, measure(alone.samples, RATE))
    assert found["pitch_semitones"] == pytest.approx(-5, abs=1.5)
    assert alone.samples.size == whole.samples.size
    higher = CorrectionAlone(replace(REQUEST, axes={"pitch_semitones": 4.0})).render(shipped_editor)
    assert effects(before, measure(higher.samples, RATE))["pitch_semitones"] == pytest.approx(4, abs=1.5)


@pytest.mark.shipped
def test_breath_is_rendered_where_it_is_asked_for(shipped_editor: Any) -> None:
    """Light breath; in a whisper the correction alone renders it as well."""
    request = replace(REQUEST, prompt="breathy")
    before = measure(Edit(request).before.render(shipped_editor).samples, RATE)
    _, light = clips = [CorrectionAlone(request, rendered).render(shipped_editor).samples for rendered in (False, True)]
    assert (effects(before, measure(light, RATE))["harmonicity_db"] or 0.0) < -2
    assert not np.array_equal(*clips)
    calm = [CorrectionAlone(REQUEST, rendered).render(shipped_editor).samples for rendered in (False, True)]
    assert np.array_equal(*calm)
