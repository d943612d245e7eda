"""What the parts of the page show of a result."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from latent_edit.axes import AXES
from latent_edit.measures import Measurements
from latent_edit.prompts.reader import read_prompt
from latent_edit.result import EditResult, TimedPhoneme
from latent_edit.synthesis import Synthesis
from latent_edit.types import Latent
from latent_edit.ui.bridge import stop_label
from latent_edit.ui.curves import MAX_POINTS, drawing, line_path
from latent_edit.ui.grid import Cell
from latent_edit.ui.heatmaps import SHADES, heatmaps_value, palette, places, synthesis_heatmap_value, write_heatmap
from latent_edit.ui.judged import judged_value
from latent_edit.ui.measured import measured_value
from latent_edit.ui.notes import notes_value
from latent_edit.ui.player import matching_moments, player_value, synthesis_value, time_ticks, waveform_path
from latent_edit.wording import ATTRIBUTES, MINUS, NO_VOICE, NOT_MEASURED, measured_rows, number


@pytest.fixture(scope="module")
def files(result: EditResult, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return result.save(tmp_path_factory.mktemp("edit"))


def test_player_describes_the_files_that_were_written(result: EditResult, files: dict[str, Path]) -> None:
    value = player_value(result, files)
    before, after = value["clips"]
    for clip in (before, after):
        assert clip["seconds"] == pytest.approx(soundfile.info(clip["audio"]["path"]).duration, abs=1e-3)
        assert clip["wave"].count("M") == clip["bars"]
    assert after["share"] == 100.0  # the longer one fills the axis
    assert before["share"] == pytest.approx(100 * before["seconds"] / after["seconds"], abs=0.1)
    assert value["record"]["path"] == str(files["edit.json"])
    assert value["moments"][-1] == pytest.approx([before["seconds"], after["seconds"]], abs=1e-2)


def test_louder_is_drawn_higher(result: EditResult, files: dict[str, Path]) -> None:
    before, after = (
        [float(top) for top in re.findall(r" (\d+)V", c["wave"])] for c in player_value(result, files)["clips"]
    )
    assert min(after) == 2  # the loudest peak of both fills the height
    assert min(before) > min(after)


def test_waveform_path_keeps_the_peak_of_each_stretch() -> None:
    assert waveform_path(np.array([0.0, 1.0, -0.5, 0.0], dtype=np.float32), 2) == "M0.5 2V98M1.5 26V74"
    assert waveform_path(np.zeros(4, dtype=np.float32), 1) == "M0.5 49V51"  # silence is still a line


def phonemes(*seconds: float) -> list[TimedPhoneme]:
    return [TimedPhoneme("x", start, end) for start, end in pairwise(seconds)]


def test_moments_pair_the_starts_of_phonemes_and_the_end() -> None:
    assert matching_moments(phonemes(0.0, 0.1, 0.3), phonemes(0.0, 0.2, 0.5)) == [[0.0, 0.0], [0.1, 0.2], [0.3, 0.5]]


def test_moments_rise_even_where_a_phoneme_has_no_length() -> None:
    moments = matching_moments(phonemes(0.0, 0.1, 0.1, 0.3), phonemes(0.05, 0.2, 0.4, 0.4))
    assert moments == [[0.0, 0.0], [0.1, 0.2], [0.3, 0.4]]
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(moments))


def test_without_common_phonemes_only_the_start_corresponds() -> None:
    assert matching_moments(phonemes(0.0, 0.1), phonemes(0.0, 0.1, 0.2)) == [[0.0, 0.0]]
    assert matching_moments([], []) == [[0.0, 0.0]]


@pytest.mark.parametrize(("seconds", "labels"), [(0.9, ["0 s", "0.2", "0.4", "0.6", "0.8"]), (3.0, ["0 s", "1", "2"])])
def test_ticks_are_round_and_few(seconds: float, labels: list[str]) -> None:
    ticks = time_ticks(seconds)
    assert [tick["label"] for tick in ticks][: len(labels)] == labels
    assert all(0 <= tick["left"] < 100 for tick in ticks)
    assert len(time_ticks(200.0)) <= 5
    assert time_ticks(seconds)[1]["left"] == pytest.approx(100 * float(labels[1]) / seconds, abs=0.01)


def test_heatmaps_describe_themselves_and_share_one_time_axis(result: EditResult, tmp_path: Path) -> None:
    z_text, z_edit, difference = heatmaps_value(result, tmp_path)["pictures"]
    assert f"{result.z_text.z.shape[2]} frames" in z_text["alt"]
    assert f"{result.z_edit.z.shape[2]} frames" in z_edit["alt"]
    assert z_text["limit"] == z_edit["limit"] == difference["limit"]
    assert (z_edit["share"], difference["share"]) == (100.0, 100.0)
    frames = result.z_text.z.shape[2] / result.z_edit.z.shape[2]
    assert z_text["share"] == pytest.approx(100 * frames, abs=0.1)
    assert [place["symbol"] for place in z_text["symbols"][:4]] == ["g", "o", "o", "d"]
    assert sum(place["width"] for place in z_edit["symbols"]) == pytest.approx(100, abs=0.5)


def test_the_plain_reading_is_shown_alone_while_the_bridge_works(result: EditResult, tmp_path: Path) -> None:
    speech = Synthesis(result.z_text, result.before, result.phonemes_before, (), ())
    heatmaps = synthesis_heatmap_value(speech, tmp_path)
    (z_text,) = heatmaps["pictures"]
    assert (z_text["share"], heatmaps["curves"]) == (100.0, [])
    assert [place["symbol"] for place in z_text["symbols"][:4]] == ["g", "o", "o", "d"]
    player = synthesis_value(speech, tmp_path / "before.wav")
    assert [clip["share"] for clip in player["clips"]] == [100.0]
    assert player["record"] is None


def test_a_recording_is_not_called_a_reading(result: EditResult, tmp_path: Path) -> None:
    speech = Synthesis(result.z_text, result.before, (), (), ())
    (z_audio,) = synthesis_heatmap_value(speech, tmp_path)["pictures"]
    assert "your recording, in this voice" in z_audio["alt"]
    assert synthesis_value(speech, tmp_path / "before.wav")["clips"][0]["manner"] == "your recording, in this voice"
    text = replace(speech, phonemes=tuple(phonemes(0.0, 0.1)))
    assert synthesis_value(text, tmp_path / "before.wav")["clips"][0]["manner"] == "the plain reading"


def test_curves_lie_on_the_axis_of_the_heatmaps(result: EditResult, tmp_path: Path) -> None:
    pitch, loudness = heatmaps_value(result, tmp_path)["curves"]
    for curve in (pitch, loudness):
        before, after = (
            np.array(re.findall(r"[ML]([\d.]+) ([\d.-]+)", line["line"]), float) for line in curve["lines"]
        )
        seconds = result.after.samples.shape[1] / result.after.sampling_rate
        assert before[-1, 0] < 1000 * result.before.samples.shape[1] / result.after.samples.shape[1] + 1
        assert after[-1, 0] == pytest.approx(1000, abs=1000 * 0.5 / seconds)
        assert before[:, 1].mean() > after[:, 1].mean()  # after is higher and louder, and so nearer to the top
        assert all(0 <= y <= 100 for y in (*before[:, 1], *after[:, 1]))
    assert re.fullmatch(r"Pitch over time: before \d+ to \d+ Hz, after \d+ to \d+ Hz\.", pitch["alt"])
    assert "150 Hz" in [tick["label"] for tick in pitch["ticks"]]


def test_a_line_is_interrupted_where_nothing_was_measured() -> None:
    nan = float("nan")
    x = np.arange(6.0)
    assert line_path(x, np.array([nan, 1.0, 2.0, nan, 3.0, nan])) == "M1.0 1.0h0L2.0 2.0M4.0 3.0h0"
    assert line_path(x, np.full(6, nan)) == ""
    assert line_path(np.arange(4000.0), np.ones(4000)).count("L") < MAX_POINTS


def test_ticks_stand_where_their_value_is_drawn() -> None:
    drawn = drawing({"before": np.arange(3.0)}, {"before": np.array([-40.0, -30.0, -20.0])}, {"in": -30.0, "off": 0.0})
    (tick,) = drawn["ticks"]
    assert f"L1.0 {tick['top']}" in drawn["lines"][0]["line"]
    assert drawing({"before": np.arange(2.0)}, {"before": np.full(2, np.nan)}, {"low": 1.0}) == {
        "lines": [],
        "ticks": [],
    }


def test_stops_say_which_step_they_are() -> None:
    assert [stop_label(steps, 3, "Z_text") for steps in range(4)] == [
        "Z_text, re-timed",
        "Step 1 of 3",
        "Step 2 of 3",
        "Z\u2032",
    ]
    assert [stop_label(steps, 50, "Z_text") for steps in (1, 25)] == ["Step 1 of 50", "Step 25 of 50"]
    assert [stop_label(steps, 1, "Z_audio") for steps in (0, 1)] == ["Z_audio, re-timed", "Z\u2032"]


def test_a_heatmap_is_z_itself(result: EditResult, tmp_path: Path) -> None:
    limit = 2.0
    with Image.open(write_heatmap(result.z_edit, limit, "viridis", tmp_path / "z.png")) as image:
        shades = np.asarray(image)[::-1].astype(float)  # channel 0 lies lowest
        assert image.convert("RGB").getpixel((0, 0)) == tuple(palette("viridis")[int(shades[-1, 0])])
    drawn = shades / (SHADES - 1) * 2 * limit - limit
    np.testing.assert_allclose(drawn, result.z_edit.z[0].numpy().clip(-limit, limit), atol=limit / (SHADES - 1) + 1e-6)


def test_pauses_have_no_colour(result: EditResult, tmp_path: Path) -> None:
    mask = result.z_edit.mask.clone()
    mask[..., 3:5] = 0
    file = write_heatmap(Latent(result.z_edit.z * mask, mask), 2.0, "viridis", tmp_path / "z.png")
    with Image.open(file) as image:
        opacity = np.asarray(image.convert("RGBA"))[..., 3]
    assert (opacity[:, 3:5] == 0).all()
    assert (np.delete(opacity, [3, 4], axis=1) == 255).all()


def test_symbols_that_gradio_would_run_are_left_out() -> None:
    (place,) = places([TimedPhoneme("${x}`", 0.0, 0.5), TimedPhoneme(" ", 0.5, 1.0)], 1.0)
    assert place == {"symbol": "{x}", "left": 0.0, "width": 50.0}


def rows(before: Measurements, after: Measurements, result: EditResult) -> dict[str, dict[str, str]]:
    changed = replace(result, measurements_before=before, measurements_after=after)
    return {row["name"]: row for row in measured_value(changed)["rows"]}


def test_every_measurement_has_a_row(result: EditResult) -> None:
    assert set(ATTRIBUTES) == set(Measurements.__dataclass_fields__)
    assert len(measured_value(result)["rows"]) == len(ATTRIBUTES) + 1  # and the match with the words


def test_changes_are_in_units_one_can_hear(result: EditResult) -> None:
    table = rows(
        Measurements(pitch_hz=100.0, level_db=-20.0, pace_phonemes_per_second=10.0, voiced_share=0.9),
        Measurements(pitch_hz=200.0, level_db=-26.5, pace_phonemes_per_second=8.0, voiced_share=0.9),
        result,
    )
    assert (table["Pitch"]["before"], table["Pitch"]["after"]) == ("100 Hz", "200 Hz")
    assert table["Pitch"]["change"] == "+12.0 st"
    assert table["Level"]["change"] == f"{MINUS}6.5 dB"
    assert table["Pace"]["change"] == f"{MINUS}20 %"
    assert (table["Voicing"]["before"], table["Voicing"]["change"]) == ("90 %", "0 points")


def test_what_was_not_measured_is_said_and_has_no_change(result: EditResult) -> None:
    row = rows(Measurements(pitch_hz=100.0), Measurements(), result)["Pitch"]
    assert (row["before"], row["after"], row["change"]) == ("100 Hz", NOT_MEASURED, "")


WHISPERED = Measurements(duration_seconds=2.0, level_db=-30.0, voiced_share=0.02)


def test_a_whisper_has_no_pitch_but_what_else_was_not_measured_is_said_to_be_so(result: EditResult) -> None:
    spoken = Measurements(pitch_hz=100.0, level_db=-20.0)
    table = rows(spoken, WHISPERED, result)
    assert [table[name]["after"] for name in ("Pitch", "Pitch range", "Tremor", "Clear tone")] == [NO_VOICE] * 4
    assert table["Pace"]["after"] == NOT_MEASURED
    told = Cell.after("", replace(result, measurements_before=spoken, measurements_after=WHISPERED)).detail
    assert f"pitch: {NO_VOICE}" in told and f"pace: {NOT_MEASURED}" in told and f"level {MINUS}10.0 dB" in told


def test_every_axis_is_shown_those_left_alone_last(result: EditResult) -> None:
    outcomes = measured_value(replace(result, asked=read_prompt("loud")))["outcomes"]
    assert {row["name"] for row in outcomes} == {axis.title for axis in AXES.values()}
    assert sorted(outcomes, key=lambda row: row["alone"]) == outcomes
    nothing = measured_value(replace(result, asked=read_prompt("zqxv"), measurements_after=Measurements()))["outcomes"]
    assert all(row["alone"] and (row["got"], row["verdict"]) == (NOT_MEASURED, "not asked for") for row in nothing)


def test_the_match_is_shown_where_anything_was_understood(result: EditResult) -> None:
    assert "Match" in {row["name"] for row in measured_rows(replace(result, asked=read_prompt("loud")))}
    assert "Match" not in {row["name"] for row in measured_rows(replace(result, asked=read_prompt("zqxv")))}


def test_the_verdict_is_about_what_this_strength_asks_for(result: EditResult) -> None:
    loud = read_prompt("loud")
    request = replace(result.request, strength=0.4)
    half_way = replace(result, request=request, asked=loud, measurements_before=Measurements(level_db=-25.0),
                       measurements_after=Measurements(level_db=-25.0 + 0.4 * loud.value("level_db")))  # fmt: skip
    level = next(row for row in measured_value(half_way)["outcomes"] if row["name"] == "Level")
    assert level["asked"] == level["got"] and level["verdict"] == "as asked"
    assert measured_value(replace(half_way, request=result.request))["verdict"] == "Not all as asked."


def test_numbers_have_a_real_minus_and_no_negative_zero() -> None:
    assert number(-1.26, 1) == f"{MINUS}1.3"
    assert number(-0.04, 1, signed=True) == "0.0"
    assert number(2.0, 0, signed=True) == "+2"


def test_notes_name_unknown_words_and_the_seed_and_escape_them(result: EditResult) -> None:
    plain = notes_value(result)
    assert "<q>blorp</q>" in plain
    assert "Seed 3" in plain
    shown = notes_value(replace(result, unknown_words=("<img src=x>",), notes=("a & b",), gain=0.5))
    assert "<img" not in shown
    assert "&lt;img src=x&gt;" in shown
    assert "a &amp; b" in shown
    assert "0.50" in shown
    assert "0.50" not in plain


def test_of_a_recording_the_player_has_the_original_as_loud_as_before(result: EditResult, tmp_path: Path) -> None:
    from latent_edit.audio import loudness_lufs, read_audio

    quiet = dataclasses.replace(result.before, samples=result.before.samples * 0.01)
    recorded = dataclasses.replace(result, recording=quiet)
    value = player_value(recorded, recorded.save(tmp_path, with_figures=False))
    assert value["original"]
    assert [clip["title"] for clip in value["clips"]] == ["Original", "Before", "After"]
    assert value["clips"][0]["seconds"] == value["clips"][1]["seconds"]
    loudness = loudness_lufs(read_audio(value["clips"][0]["audio"]["path"], 16_000), 16_000)
    assert loudness == pytest.approx(-24.0 + 20 * np.log10(result.gain), abs=0.2)  # the gain that all three share
    assert not player_value(result, result.save(tmp_path, with_figures=False))["original"]


def test_words_kept_of_a_recording(result: EditResult, monkeypatch: pytest.MonkeyPatch) -> None:
    from latent_edit import judges

    recorded = dataclasses.replace(result, recording=dataclasses.replace(result.before))
    spoken = iter(["one two four", "one two", "one two three four"])
    monkeypatch.setattr(judges, "installed", lambda judge: judge == judges.RECOGNISER)
    monkeypatch.setattr(judges, "recognise", lambda *_: next(spoken))
    pytest.importorskip("jiwer")
    value = judged_value(recorded)
    assert [row["name"] for row in value["heard"]] == ["original", "before", "after"]
    assert value["kept"] == "3 of 4"
    monkeypatch.setattr(judges, "installed", lambda _: False)
    assert judged_value(recorded)["kept"] is None
