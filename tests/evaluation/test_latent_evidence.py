"""Latents beside text, clips of the grid, and directions: on tiny voices and on values that are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

pytest.importorskip("sklearn")
pytest.importorskip("pyworld")
pytest.importorskip("diskcache")

from latent_edit.axes import AXES, PITCH
from latent_edit.data.styles import Style
from latent_edit.editor import LatentEditor
from latent_edit.errors import InputError
from latent_edit.evaluation.clips import PlainSynthesis, Recording
from latent_edit.evaluation.latents import latent_frames, latent_rows, speaker_grid, subspace
from latent_edit.evaluation.latents.latent_clips import ByHand, Exchanged, Moved
from latent_edit.evaluation.latents.latent_frames import MEL, PRIOR_TEXT, SPACES, Z_AUDIO, Z_TEXT, Prosody, Spoken
from latent_edit.evaluation.latents.latent_results import PAGE, page, write_figures
from latent_edit.evaluation.latents.styled_latents import Rendered
from latent_edit.evaluation.plan import Plan, SampleSizes
from latent_edit.evaluation.report import LATENTS, Measured, Report
from latent_edit.evaluation.rows import Row
from latent_edit.evaluation.sections import write_sections
from latent_edit.evaluation.statistics import Estimate
from latent_edit.measures import Measurements
from latent_edit.models.phonemes import encode_text
from latent_edit.request import EditRequest

CHANNELS = 12


def spoken(place: int, voice: str = "anna") -> Spoken:
    """A made-up recording of 60 frames: Z_audio holds Z_text in its first four channels and F0 in the fifth."""
    generator = np.random.default_rng(place)
    text, f0 = generator.standard_normal((60, CHANNELS)), 120 * 2 ** generator.uniform(-0.5, 0.5, 60)
    audio = generator.standard_normal((60, CHANNELS))
    audio[:, :4] = text[:, :4]
    audio[:, 4] = 12 * np.log2(f0 / 120)
    f0 = np.where(np.arange(60) < 20, 0.0, f0)
    symbols = generator.choice(["a", "n", "t", "s", "l", "."], 60)
    spaces = {name: audio if name in (Z_AUDIO, MEL) else text for name in SPACES}
    prosody = Prosody(f0, generator.standard_normal(60))
    recording = Recording(Path(f"{place}.wav"), voice, f"sentence {place}")
    return Spoken(recording, spaces, prosody, prosody, symbols, text[:50], symbols[:50])


@pytest.fixture(scope="module")
def recordings() -> list[Spoken]:
    return [spoken(place, voice) for place, voice in enumerate(["anna", "ben"] * 8)]


def by_name(rows: list[Row]) -> dict[tuple[str, str], Estimate]:
    return {(row.what, row.of): row.estimate for row in rows}


def test_every_symbol_belongs_to_a_phoneme() -> None:
    symbols = latent_frames.spoken_symbols(encode_text("a boat."))
    assert set(symbols) == {".", "ɐ", "b", "o", "ʊ", "t"}
    places = encode_text("a boat.").symbols
    stress = places.index("ˈ")
    assert symbols[stress] == symbols[stress + 1] == "o" and symbols[stress - 1] == "b"
    assert list(latent_frames.classes(np.array(["b", "o", "."]))) == ["stop", "vowel", "pause"]
    assert list(latent_frames.voiced_by_class(np.array(["b", "p", "o", "."]))) == [True, False, True, False]


def test_frames_of_a_recording_and_of_its_text_lie_side_by_side(tiny_editor: LatentEditor, tmp_path: Path) -> None:
    import soundfile
    from synthetic_speech import speech_like

    path = tmp_path / "a.wav"
    soundfile.write(path, speech_like(1.5), 16_000)
    (found,) = latent_frames.read_frames(tiny_editor, [Recording(path, "anna", "hello there")])
    assert {len(values) for values in found.spaces.values()} == {len(found)} == {1500 * 16 // 256}
    assert len(found.recorded.f0) == len(found.synthesised.f0) == len(found)
    assert len(found.free) == len(found.free_phonemes)
    assert 120 < np.median(found.recorded.f0[found.recorded.f0 > 0]) < 170
    with pytest.raises(InputError, match="fewer than"):
        latent_frames.read_frames(tiny_editor, [Recording(path, "anna", "far too many words " * 30)])


def test_only_frames_in_place_are_alike(recordings: list[Spoken]) -> None:
    found = by_name(_pairings(recordings))
    above = {of: found[f"{latent_rows.ALIGNMENT}CCA, mean of all", of].value for of in ("MAS path", "another sentence")}
    assert above["MAS path"] == pytest.approx(4 / CHANNELS, abs=0.08)
    assert above["another sentence"] == pytest.approx(0.0, abs=0.08)
    same = f"{latent_rows.ALIGNMENT}same phoneme as on the MAS path"
    assert found[same, "MAS path"].value == 1.0
    assert found[same, "another sentence"].value == pytest.approx(1 / 6, abs=0.08)
    assert found[same, "by index"].value == 1.0  # of the frames that both have


def _pairings(recordings: list[Spoken]) -> list[Row]:
    return [row for pairing in latent_rows.PAIRINGS for row in latent_rows._pairing_rows(pairing, recordings)]


def test_what_was_put_into_frames_is_read_from_them(recordings: list[Spoken]) -> None:
    found = by_name(latent_rows.frame_rows(recordings))
    assert (found[f"{latent_rows.FRAMES}F0", Z_AUDIO].value or 0.0) > 0.95
    assert (found[f"{latent_rows.FRAMES}F0", Z_TEXT].value or 0.0) < 0.05
    assert found[f"{latent_rows.FRAMES}speaker", Z_AUDIO].value == pytest.approx(0.5, abs=0.1)


def test_neighbours_of_a_phoneme_are_other_phonemes() -> None:
    found = latent_rows._with_neighbours(np.array(["a", "a", "b", "c", "c"]))
    assert found.tolist() == [list("aab"), list("aab"), list("abc"), list("bcc"), list("bcc")]


def test_a_voice_explains_nothing_once_its_mean_is_gone() -> None:
    values, voices = np.array([1.0, 3.0, 10.0, 30.0]), np.array(["a", "a", "b", "b"])
    assert latent_rows.less_mean(values, voices).tolist() == [-1.0, 1.0, -10.0, 10.0]


def test_the_direction_of_each_axis_is_the_one_that_was_planted(recordings: list[Spoken]) -> None:
    generator = np.random.default_rng(0)
    planted = generator.standard_normal((len(AXES), CHANNELS))
    styles = [Style(*generator.uniform(0, 1, len(AXES))) for _ in range(40)]
    neutral = {Z_AUDIO: generator.standard_normal(CHANNELS)}
    rendered = [
        Rendered(recordings[0], "", style, {Z_AUDIO: (neutral[Z_AUDIO] + style.as_array() @ planted)[None]},
                 np.zeros((1, CHANNELS)), neutral)
        for style in styles
    ]  # fmt: skip
    found = subspace.fit_directions(recordings, rendered)
    assert np.allclose(np.array(list(found.plain.values())), planted, atol=1e-4)
    frames = np.concatenate([x.spaces[Z_AUDIO] for x in recordings])
    labels = latent_frames.classes(np.concatenate([x.phonemes for x in recordings]))
    read = subspace.probe_directions(frames, labels)
    assert np.abs(np.array(list(found.orthogonal.values())) @ read.T).max() < 1e-6


class OctaveUp:
    """Scores in which every clip has raised F0 by one octave and nothing else."""

    def measurements(self, clip: Any) -> Measurements:
        plain = isinstance(clip, PlainSynthesis)
        return Measurements(1.0, 100.0 if plain else 200.0, 5.0, 10.0, -20.0, -3.0, 0.5, 10.0, 0.0)


def test_leakage_is_what_happens_on_other_axes() -> None:
    scores: Any = OctaveUp()
    before = PlainSynthesis("a text", "anna", 0)
    after = Moved(before, (0.0,))
    wish = subspace.Wish(AXES[PITCH], 6.0, "higher", before)
    assert subspace.reached(scores, wish, after) == (2.0, 1.0)
    assert speaker_grid.change_of_manner(scores, before, after, PITCH) == (0.0, 1.0)
    everything = speaker_grid.change_of_manner(scores, before, after)
    assert everything is not None and everything[0] == pytest.approx(12 / AXES[PITCH].floor / 7)


def test_no_wish_is_for_pace_and_each_has_words_for_its_ways() -> None:
    plan = Plan(("kathleen", "sam_a"), SampleSizes(), {}, {}, {})
    asked = subspace.wishes(plan, 3)
    assert {wish.axis.name for wish in asked} == AXES.keys() - {"pace_log_ratio"}
    for axis in AXES.values():
        ways = {wish.value > 0 for wish in asked if wish.axis == axis}
        assert ways in (set(), {True, False} if axis.minimum < 0 else {True})


def test_moving_by_nothing_and_exchanging_nobody_changes_nothing(tiny_editor: LatentEditor) -> None:
    request = EditRequest("hello", "anna", "calm")
    plain = PlainSynthesis("hello", "anna", 0).render(tiny_editor).samples
    still = Moved(PlainSynthesis("hello", "anna", 0), (0.0,) * tiny_editor.vits.latent_channels)
    assert np.array_equal(still.render(tiny_editor).samples, plain)
    same = Exchanged(request, None, "anna", flow=False).render(tiny_editor).samples
    assert np.array_equal(same, plain)
    through = Exchanged(request, None, "anna", flow=True).render(tiny_editor).samples
    assert np.allclose(through, plain, atol=1e-3)
    other = Exchanged(request, None, "ben", flow=False).render(tiny_editor).samples
    converted = Exchanged(request, None, "ben", flow=True).render(tiny_editor).samples
    assert not np.allclose(other, plain) and not np.allclose(converted, other)


def test_clips_that_differ_have_other_identities(tiny_editor: LatentEditor) -> None:
    request = EditRequest("hello", "anna", "calm")
    clips: list[Any] = [Exchanged(request, None, voice, flow) for voice in ("anna", "ben") for flow in (False, True)]
    clips += [Moved(PlainSynthesis("hello", "anna", 0), (value,)) for value in (0.0, 1.0)]
    clips += [ByHand(PlainSynthesis("hello", "anna", 0), "calm", PITCH, value) for value in (1.0, 2.0)]
    identities = [str(clip.identity(tiny_editor)) for clip in clips]
    assert len(set(identities)) == len(identities) and len(set(clips)) == len(clips)


def test_the_grid_has_every_pair_and_no_clip_of_what_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speaker_grid, "sentences", lambda *_: ["one", "two"])
    recorded = {
        voice: tuple(Recording(Path(f"{voice}{text}"), voice, text) for text in ("one", "x", "y")) for voice in "ab"
    }
    plan = Plan(("a", "b"), SampleSizes(), recorded, {}, {})
    made = speaker_grid.cells(plan, 2)
    assert len(made) == 2 * 2 * len(speaker_grid.CLIPS) * len(speaker_grid.DECODERS)
    exchanged = [(cell, cell.made) for cell in made if isinstance(cell.made, Exchanged)]
    assert {(cell.clip, cell.decoder) for cell in made if cell.made == cell.before} == {("no clip", "decoder A")}
    assert all(clip.clip is None or clip.clip.text in ("x", "y") for _, clip in exchanged)
    crossed = [clip for cell, clip in exchanged if (cell.clip, cell.decoder) == ("clip of B", "decoder A")]
    assert all(clip.clip and clip.clip.voice != clip.voice == clip.decoder for clip in crossed)
    assert {clip.flow for cell, clip in exchanged if cell.decoder == "decoder and flow B"} == {True}
    assert {clip.voice == clip.decoder for cell, clip in exchanged if cell.decoder != "decoder A"} == {False}


def test_the_page_is_written_from_rows(tmp_path: Path) -> None:
    of_grid = [f"{clip}, {decoder}" for clip in speaker_grid.CLIPS for decoder in speaker_grid.DECODERS]
    figures = (speaker_grid.HEARD, speaker_grid.LOST, speaker_grid.CHANGED)
    rows = [
        Row(speaker_grid.GRID + what, of, Estimate(0.25, 0.2, 0.3), "percent") for what in figures for of in of_grid
    ]
    of_frames = (f"{latent_rows.FRAMES}F0", f"{latent_rows.SHARES}phoneme")
    rows += [Row(what, of, Estimate(0.5, 0.4, 0.6), "percent") for what in of_frames for of in (Z_TEXT, PRIOR_TEXT)]
    report = Report([Measured(row, {}) for row in rows], {})
    results = tmp_path / "docs" / "RESULTS.md"
    results.parent.mkdir()
    for _ in range(2):
        write_sections(report, results)
    assert results.read_text(encoding="utf-8").count(f"({PAGE})") == 1
    text = page(report, results, tmp_path / "assets")
    assert text.startswith("# Inside the latents\n")
    assert "| Z_text | 50.0 % (40.0 % to 60.0 %) |" in text and "(../assets/latents-grid.png)" in text
    write_figures(report, tmp_path / "assets")
    assert {path.name for path in (tmp_path / "assets").iterdir()} == {"latents-grid.png", "latents-probes.png"}
    assert all(row.what.startswith(LATENTS) for row in rows)
    assert "Inside" not in report.results([], {}) and "nearer to B" not in report.results([], {})


def test_the_suite_says_what_it_needs(tmp_path: Path) -> None:
    from latent_edit.suites import evaluate

    with pytest.raises(InputError, match="--recordings"):
        evaluate(suite="latents", runs=tmp_path)
    with pytest.raises(InputError, match="leave it out"):
        evaluate(suite="latents", test=True, runs=tmp_path)
    with pytest.raises(InputError, match="--suite latents"):
        evaluate(clap="elsewhere", runs=tmp_path)


def test_an_expected_latent_is_kept_for_several_decoders(tiny_editor: LatentEditor) -> None:
    from latent_edit.evaluation.latents.latent_clips import edited_latent

    request = EditRequest("hello", "anna", "calm")
    assert edited_latent(request, True, tiny_editor) is edited_latent(request, True, tiny_editor)
    assert not torch.equal(edited_latent(request, True, tiny_editor).z, edited_latent(request, False, tiny_editor).z)


def test_what_varies_by_nature_is_read_from_what_holds_it(tiny_editor: LatentEditor, tmp_path: Path) -> None:
    import soundfile
    from synthetic_speech import speech_like

    from latent_edit.evaluation.cached_scores import CachedScores
    from latent_edit.evaluation.latents import clap_rows

    recorded = []
    for place in range(20):
        path, loudness = tmp_path / f"{place}.wav", 10 ** (((place * 7) % 20 - 10) / 20)
        soundfile.write(path, loudness * speech_like(1.0, pitch=110.0 + 4 * place), 16_000, subtype="FLOAT")
        recorded.append(Recording(path, ("anna", "ben")[place % 2], f"sentence {place}"))
    found = by_name(clap_rows.natural_rows(CachedScores(tiny_editor, tmp_path / "scores"), recorded, lambda *_: None))
    assert {of for _, of in found} == {clap_rows.clap_name(tiny_editor), clap_rows.MEL_POOL}
    assert (found[f"{clap_rows.NATURAL}level", clap_rows.MEL_POOL].value or 0.0) > 0.9


def test_rows_of_another_clap_stay_beside_those_of_this_one() -> None:
    from latent_edit.evaluation.latents.suite import merge

    row = Row("latents, natural variation: level", "CLAP other", Estimate(0.5), "percent")
    mine = Row("latents, natural variation: level", "CLAP mine", Estimate(0.4), "percent")
    merged = merge([mine], {"voice": "b"}, [Measured(row, {"voice": "a"}), Measured(mine, {"voice": "a"})])
    assert [(item.row.of, item.hashes["voice"]) for item in merged] == [("CLAP other", "a"), ("CLAP mine", "b")]
