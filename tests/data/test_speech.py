"""The prepared corpus: made once, read back as it was, and put into batches that a restart does not change."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from tiny_voices import HOP, RATE, buzz, tiny_speech

from latent_edit.data.corpora import Utterance
from latent_edit.data.speech import Speech, batch_of_step, batches_by_length, load_speech, prepare_speech
from latent_edit.errors import InputError
from latent_edit.models.phonemes import encode_text


@pytest.fixture
def utterances(tmp_path: Path) -> list[Utterance]:
    made = []
    for index, (speaker, text) in enumerate([("anna", "Hello."), ("ben", "Go on!"), ("anna", "A hat (red).")]):
        path = tmp_path / "corpus" / f"{index}.wav"
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, buzz(0.3 + 0.1 * index, 150, index), RATE, subtype="FLOAT")
        made.append(Utterance(path, speaker, text, "CC0-1.0"))
    return made


def assert_equal(one: Speech, other: Speech) -> None:
    assert np.array_equal(one.samples, other.samples)
    assert np.array_equal(one.offsets, other.offsets)
    assert (one.ids, one.speakers, one.texts) == (other.ids, other.speakers, other.texts)


def test_recordings_come_back_as_they_were(utterances: list[Utterance], tmp_path: Path) -> None:
    speech = prepare_speech(utterances, RATE, HOP, tmp_path / "speech")
    assert len(speech) == 3
    assert speech.lengths.tolist() == [4800, 6400, 8000]
    for index, utterance in enumerate(utterances):
        audio = speech.audio(index)
        assert audio.dtype == np.float32
        assert np.abs(audio - utterance.read(RATE)).max() <= 0.5 / 32767 + 1e-7
        assert speech.ids[index] == list(encode_text(utterance.text).ids)
    assert speech.speakers == ["anna", "ben", "anna"]
    assert_equal(load_speech(tmp_path / "speech"), speech)


def test_what_is_prepared_is_only_read(utterances: list[Utterance], tmp_path: Path) -> None:
    first = prepare_speech(utterances, RATE, HOP, tmp_path / "speech")
    shutil.rmtree(tmp_path / "corpus")
    assert_equal(prepare_speech(utterances, RATE, HOP, tmp_path / "speech"), first)


def test_another_corpus_is_not_mistaken_for_this_one(utterances: list[Utterance], tmp_path: Path) -> None:
    folder = tmp_path / "speech"
    prepare_speech(utterances, RATE, HOP, folder)
    renamed = [Utterance(u.path, "carl", u.text, u.licence) for u in utterances]
    for others, rate, hop in (
        (utterances[:2], RATE, HOP),
        (renamed, RATE, HOP),
        (utterances, 22_050, HOP),
        (utterances, RATE, 200),
    ):
        with pytest.raises(InputError, match="prepared from other recordings: delete it"):
            prepare_speech(others, rate, hop, folder)


def test_a_recording_over_full_scale_does_not_wrap(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "loud.wav", 1.5 * np.ones(1000), RATE, subtype="FLOAT")
    speech = prepare_speech(
        [Utterance(tmp_path / "loud.wav", "anna", "Oh.", "CC0-1.0")], RATE, HOP, tmp_path / "speech"
    )
    assert speech.audio(0).min() == pytest.approx(1.0)


def test_a_split_may_be_empty(tmp_path: Path) -> None:
    assert len(prepare_speech([], RATE, HOP, tmp_path)) == 0
    assert len(load_speech(tmp_path)) == 0


def test_what_an_earlier_version_prepared_is_refused(utterances: list[Utterance], tmp_path: Path) -> None:
    prepare_speech(utterances, RATE, HOP, tmp_path)
    content = json.loads((tmp_path / "speech.json").read_text())
    del content["hop_length"]
    (tmp_path / "speech.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match="by an earlier version: delete it and run `prepare recordings` again"):
        load_speech(tmp_path)


def test_nothing_prepared_says_which_command_does_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no recordings: run `python -m latent_edit prepare recordings"):
        load_speech(tmp_path)


def test_a_batch_is_padded_with_zeros() -> None:
    speech = tiny_speech(3, full_scale=4.0)
    batch = speech.batch([2, 0], {"anna": 1, "ben": 0})
    assert batch.lengths.tolist() == speech.lengths[[2, 0]].tolist()
    assert batch.samples.shape == (2, max(batch.lengths))
    for row, index in enumerate((2, 0)):
        length = int(batch.lengths[row])
        assert torch.equal(batch.samples[row, :length], torch.from_numpy(speech.audio(index)))
        assert (batch.samples[row, length:] == 0).all()
        assert batch.ids[row, : batch.id_lengths[row]].tolist() == speech.ids[index]
        assert (batch.ids[row, batch.id_lengths[row] :] == 0).all()
    assert batch.speaker.tolist() == [1, 1]


LENGTHS = np.random.default_rng(0).integers(10_000, 100_000, 50)


def test_an_epoch_sees_every_recording_at_most_once_in_batches_of_similar_length() -> None:
    batches = batches_by_length(LENGTHS, 8, epoch=0, seed=0)
    assert [len(batch) for batch in batches] == [8] * 6
    assert len(set(np.concatenate(batches))) == 48
    spreads = [LENGTHS[batch].max() / LENGTHS[batch].min() for batch in batches]
    assert np.median(spreads) < 1.5 < LENGTHS.max() / LENGTHS.min() / 4
    means = [LENGTHS[batch].mean() for batch in batches]
    assert means != sorted(means)


def test_every_recording_is_seen_sooner_or_later() -> None:
    seen = {int(i) for epoch in range(20) for batch in batches_by_length(LENGTHS, 8, epoch, 0) for i in batch}
    assert seen == set(range(50))


def test_the_batch_of_a_step_depends_on_seed_and_step_alone() -> None:
    steps = [batch_of_step(LENGTHS, 8, step, seed=3) for step in range(12)]
    assert np.array_equal(steps[:6], batches_by_length(LENGTHS, 8, 0, 3))
    assert np.array_equal(steps[6:], batches_by_length(LENGTHS, 8, 1, 3))
    assert not np.array_equal(steps[:6], steps[6:])
    assert not np.array_equal(steps[0], batch_of_step(LENGTHS, 8, 0, seed=4))


def test_fewer_recordings_than_a_batch_are_refused() -> None:
    for batches in (batches_by_length, batch_of_step):
        with pytest.raises(InputError, match="7 recordings are fewer than one batch of 8"):
            batches(LENGTHS[:7], 8, 0, 0)
