"""The study file is strict, plans are balanced and reproducible, clips levelled and opaque, exports complete."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import yaml
from listening_studies import BLOCKS, EDITED, LOW, OTHER, PLAIN, RATE, write_study
from typer.testing import CliRunner

from latent_edit import audio
from latent_edit.errors import InputError
from latent_edit.listening.clips import headphone_bytes, load_clips, unique_bytes
from latent_edit.listening.commands import listening_app
from latent_edit.listening.design import ParticipantPlan, make_participant_plan, participants_needed
from latent_edit.listening.render import low_passed
from latent_edit.listening.study import Study, load_study
from latent_edit.listening.webmushra import write_webmushra

ROOT = Path(__file__).resolve().parents[2]
ITEMS = [{"id": f"i{number}", "prompt": "calm"} for number in range(6)]


def study_of(*blocks: dict[str, Any], **changes: Any) -> Study:
    conditions = {name: {"source": "folder", "folder": name} for name in ("a", "b", "c")}
    named = [{"id": f"block{number}", **block} for number, block in enumerate(blocks)]
    return Study.model_validate(
        {"id": "s", "title": "t", "conditions": conditions, "items": ITEMS, "blocks": named, **changes}
    )


def plans(study: Study, people: int) -> tuple[list[ParticipantPlan], Counter[tuple[str, int]]]:
    counts: Counter[tuple[str, int]] = Counter()
    made = []
    for number in range(people):
        made.append(make_participant_plan(study, number, counts))
        counts.update(made[-1].cells())
    return made, counts


@pytest.mark.parametrize(
    "block",
    [
        {"test": "ab", "conditions": ["a", "b", "c"], "trials": 5, "repeats": 2},
        {"test": "mos", "conditions": ["a", "b", "c"], "trials": 7},
        {"test": "mos", "conditions": ["a", "b", "c"], "design": "latin_square"},
        {"test": "mos", "conditions": ["a", "b", "c"], "design": "latin_square", "trials": 4},
        {"test": "mushra", "conditions": ["b", "c"], "reference": "a", "trials": 4},
        {"test": "abx", "conditions": ["a", "b"], "trials": 6},
    ],
)
@pytest.mark.parametrize("people", [1, 7, 50])
def test_cells_are_balanced_at_any_time(block: dict[str, Any], people: int) -> None:
    study = study_of(block)
    made, counts = plans(study, people)
    filled = [counts["block0", place] for place in range(len(study.cells(study.blocks[0])))]
    assert max(filled) - min(filled) <= 1
    for plan in made:
        cells = plan.cells()
        assert len(set(cells)) == len(cells)  # nobody is asked the same twice, repeats apart
        assert sum(step.repeat_of is not None for step in plan.steps) == block.get("repeats", 0)


def test_a_latin_square_lets_nobody_hear_an_item_twice() -> None:
    study = study_of({"test": "mos", "conditions": ["a", "b", "c"], "design": "latin_square"})
    for plan in plans(study, 9)[0]:
        trials = [step for step in plan.steps if step.kind == "trial"]
        assert len({step.item for step in trials}) == len(trials) == 6
        assert set(Counter(step.conditions for step in trials).values()) == {2}


def test_pairs_are_shown_in_both_orders_and_repeats_in_the_other() -> None:
    study = study_of({"test": "ab", "conditions": ["a", "b"], "repeats": 3})
    made, _ = plans(study, 20)
    first = Counter(s.conditions[0] for plan in made for s in plan.steps if s.cell is not None and s.repeat_of is None)
    assert first["a"] == first["b"]
    for plan in made:
        for step in plan.steps:
            if step.repeat_of is not None:
                assert step.conditions == plan.steps[step.repeat_of].conditions[::-1]
                assert step.item == plan.steps[step.repeat_of].item


def test_no_item_comes_twice_in_a_row() -> None:
    for plan in plans(study_of({"test": "mos", "conditions": ["a", "b", "c"]}), 20)[0]:
        items = [step.item for step in plan.steps if step.kind == "trial"]
        assert all(one != two for one, two in itertools.pairwise(items))


def test_a_plan_depends_on_study_number_and_counts_alone() -> None:
    study = study_of({"test": "ab", "conditions": ["a", "b"]})
    assert make_participant_plan(study, 3, {}) == make_participant_plan(study, 3, {})
    assert make_participant_plan(study, 3, {}) != make_participant_plan(study, 4, {})
    assert participants_needed(study_of({"test": "mos", "conditions": ["a", "b"], "trials": 3, "listeners": 5})) == 20


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"nonsense": 1}, "nonsense"),
        ({"blocks": [{"id": "x", "test": "ab", "conditions": ["a", "zz"]}]}, "zz"),
        ({"blocks": [{"id": "x", "test": "ab", "conditions": ["a"]}]}, "two conditions"),
        ({"blocks": [{"id": "x", "test": "mushra", "conditions": ["a"]}]}, "reference"),
        ({"blocks": [{"id": "x", "test": "mos", "conditions": ["a"], "trials": 99}]}, "99 trials"),
        ({"blocks": [{"id": "x", "test": "ab", "conditions": ["a", "b"], "design": "latin_square"}]}, "Latin square"),
        ({"items": []}, "no items"),
        ({"items": [{"id": "../x"}]}, "pattern"),
    ],
)
def test_a_study_that_cannot_be_is_refused(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    good = study_of({"test": "ab", "conditions": ["a", "b"]}).model_dump(mode="json", exclude_unset=True)
    (tmp_path / "study.yaml").write_text(yaml.safe_dump({**good, **changes}), encoding="utf-8")
    with pytest.raises(InputError, match=words):
        load_study(tmp_path)


def test_levels_are_matched_and_files_carry_no_name(tmp_path: Path) -> None:
    study = write_study(tmp_path, seconds=1.0)
    clips = load_clips(tmp_path, study)
    for clip in clips.values():
        samples, rate = soundfile.read(tmp_path / "clips" / f"{clip.sha256}.wav")
        assert audio.loudness_lufs(samples, rate) == pytest.approx(study.loudness_lufs, abs=0.1)
    louder = write_study(tmp_path / "raw", seconds=1.0, levels="raw")
    assert {clip.gain_db for clip in load_clips(tmp_path / "raw", louder).values()} == {0.0}


def test_bytes_are_unique_and_sound_the_same(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    clips = load_clips(tmp_path, study)
    heard = [clips["qqitem1", name] for name in (PLAIN, EDITED, PLAIN)]  # as in abx
    sent = [unique_bytes(tmp_path, heard, slot, bytes([slot] * 16)) for slot in range(3)]
    assert len({len(content) for content in sent}) == 1 and len(set(sent)) == 3
    assert unique_bytes(tmp_path, heard, 0, bytes(16)) == sent[0]
    original, _ = soundfile.read(tmp_path / "clips" / f"{heard[0].sha256}.wav", dtype="int16")
    played = np.frombuffer(sent[2][44:], np.int16)[: len(original)]
    assert np.abs(played.astype(int) - original).max() <= 1


@pytest.mark.parametrize("quietest", [0, 1, 2])
def test_over_loudspeakers_another_tone_is_the_quietest(quietest: int) -> None:
    samples = np.frombuffer(headphone_bytes(quietest, b"seed")[44:], np.int16).reshape(-1, 2).astype(float)
    tones = [samples[start : start + 44_100] for start in (0, 66_150, 132_300)]
    each_ear = [float(np.abs(tone[:, 0]).max()) for tone in tones]
    summed = [float(np.abs(tone.sum(axis=1)).max()) for tone in tones]
    assert int(np.argmin(each_ear)) == quietest
    assert int(np.argmin(summed)) != quietest and min(summed) < 10


def test_an_anchor_loses_what_is_above_its_cut() -> None:
    time = np.arange(RATE) / RATE
    low, high = (np.sin(2 * np.pi * hertz * time).astype(np.float32) for hertz in (1000, 6000))
    assert np.abs(low_passed(low, RATE, 3500)[0][1000:-1000]).max() > 0.98
    assert np.abs(low_passed(high, RATE, 3500)[0][1000:-1000]).max() < 0.01


def test_webmushra_gets_every_cell_and_opaque_sounds(tmp_path: Path) -> None:
    write_study(tmp_path)
    write_webmushra(tmp_path, tmp_path / "web")
    config = yaml.safe_load((tmp_path / "web" / "configs" / "zzstudy.yaml").read_text(encoding="utf-8"))
    pages = [page for block in config["pages"] if isinstance(block, list) for page in block[1:]]
    kinds = Counter(page["type"] for page in pages)
    assert kinds == {"paired_comparison": 6, "likert_multi_stimulus": 9, "likert_single_stimulus": 12, "mushra": 3}
    for page in pages:
        for sound in [*page["stimuli"].values(), *filter(None, [page.get("reference")])]:
            assert (tmp_path / "web" / sound).is_file()
            assert not any(name in sound for name in (PLAIN, EDITED, OTHER, LOW))


def test_the_template_and_the_example_are_studies(tmp_path: Path) -> None:
    result = CliRunner().invoke(listening_app, ["new", str(tmp_path / "mine")])
    assert result.exit_code == 0
    template = load_study(tmp_path / "mine")
    assert {block.test for block in template.blocks} == {block["test"] for block in BLOCKS}
    example = load_study(ROOT / "assets" / "studies" / "edits.yaml")
    assert len(example.all_items()) == 24 and len(example.conditions) == 5
    again = CliRunner().invoke(listening_app, ["new", str(tmp_path / "mine")])
    assert isinstance(again.exception, InputError)


@pytest.mark.shipped
def test_conditions_of_the_editor_are_rendered(tmp_path: Path, shipped_editor: Any) -> None:
    from latent_edit.listening.render import render

    names = ["before", "correction", "bridge", "default"]
    content = {
        "id": "s", "title": "t", "levels": "raw",
        "conditions": {"before": {"source": "before"}, "correction": {"source": "correction"},
                       "bridge": {"source": "edit", "correction": False}, "default": {"source": "edit"}},
        "items": [{"id": "i", "text": "Nobody told me.", "voice": "sam_a", "prompt": "an angry shout"}],
        "blocks": [{"id": "b", "test": "multi", "conditions": names}],
    }  # fmt: skip
    clips = render(Study.model_validate(content), tmp_path, tmp_path, lambda: shipped_editor)
    assert len({clip.sha256 for clip in clips}) == 4
    assert len({clip.seconds for clip in clips if clip.condition != "before"}) == 1  # the same rhythm
