"""Two takes of a sentence become a pair whose frames correspond, and a bridge can be trained on such pairs."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from tiny_bridges import configuration
from tiny_voices import RATE, buzz, tiny_voice

from latent_edit.data import takes as takes_module
from latent_edit.data.takes import (
    Phone,
    TakePair,
    acted_pairs,
    aligned,
    load_takes,
    prepare_takes,
    read_phone_labels,
    recorded_pairs,
    shared_segments,
    warped,
)
from latent_edit.errors import InputError
from latent_edit.models.vits import FrozenVits, freeze
from latent_edit.training.bridge import BridgeTask
from latent_edit.types import Alignment, Latent, Waveform

LABELS = """signal a
nfields 1
#
    0.100000   -1 h
    0.200000   -1 a\t+lar\t2
    0.250000   -1 \t-lar
    0.500000   -1 !t
    0.600000   -1 .
"""


class Ear:
    """A style encoder that embeds the length of what it is given."""

    hash = "e" * 64

    def embed_audio(self, waveform: Waveform) -> torch.Tensor:
        """[1, 3]."""
        return torch.nn.functional.normalize(torch.tensor([[1.0, waveform.lengths[0] / RATE, 0.0]]), dim=1)


@pytest.fixture(scope="module")
def vits() -> FrozenVits:
    return freeze(tiny_voice())


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Three sentences that Anna and Ben both say, Ben in a half longer time, and one that only Anna says."""
    lines = ["file,speaker,text"]
    texts = ["hi", "ho", "he", "ha"]
    for index, text in enumerate(texts):
        for speaker, seconds in (("anna", 0.6), ("ben", 0.9))[: 1 if text == "ha" else 2]:
            soundfile.write(tmp_path / f"{text}-{speaker}.wav", buzz(seconds, 120 + 20 * index, index), RATE)
            lines.append(f"{text}-{speaker}.wav,{speaker},{text}{'.' if speaker == 'ben' else ''}")
    (tmp_path / "manifest.csv").write_text("\n".join(lines))
    return tmp_path


@pytest.fixture
def pairs(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> list[TakePair]:
    monkeypatch.setattr(takes_module, "select", lambda utterances, _: list(utterances))
    return recorded_pairs(corpus, "anna", "ben", "train")


@pytest.fixture
def acted(tmp_path: Path) -> Path:
    """One sentence of an actor: neutral twice, and a happy, an unrecognised sad and a furious take."""
    rows = [("n1", "03", "neutral", 90), ("n2", "03", "neutral", 95), ("h", "03", "happy", 85), ("s", "03", "sad", 60)]
    rows += [("x", "04", "angry", 100), ("f", "03", "angry", 90)]
    lines = ["file,speaker,sentence,text,style,heard_percent"]
    lines += [f"{name}.wav,{actor},a01,Ha!,{style},{heard}" for name, actor, style, heard in rows]
    (tmp_path / "manifest.csv").write_text("\n".join(lines))
    (tmp_path / "lablaut").mkdir()
    return tmp_path


def test_a_warp_that_is_known_is_undone() -> None:
    # Each frame says which moment of the sentence it is; the other take has its phonemes at other lengths.
    plain, styled = torch.tensor([4.0, 10.0, 6.0]), torch.tensor([8.0, 5.0, 12.0])
    moments = torch.arange(20.0)[None, None] + 0.5
    found = warped(Latent(moments, torch.ones(1, 1, 20)), plain.double(), styled.double()).z[0, 0]
    within = [4.0 * (torch.arange(8) + 0.5) / 8, 4 + 10.0 * (torch.arange(5) + 0.5) / 5,
              14 + 6.0 * (torch.arange(12) + 0.5) / 12]  # fmt: skip
    assert torch.allclose(found, torch.cat(within).clamp(0.5, 19.5), atol=1e-4)


def test_takes_with_other_phones_correspond_where_both_have_them() -> None:
    plain = [Phone(start, symbol) for start, symbol in [(1, "h"), (2, "a"), (5, "t"), (6, "@"), (7, "s")]]
    # A pause for the elided schwa.
    styled = [Phone(start, symbol) for start, symbol in [(2, "h"), (4, "a"), (9, "t"), (10, "_"), (12, "s")]]
    durations = shared_segments(plain, styled, 8.0, 14.0)
    assert [part.tolist() for part in durations] == [[1, 1, 3, 2, 1], [2, 2, 5, 3, 2]]
    assert [float(part.sum()) for part in shared_segments([], [Phone(1.0, "a")], 3.0, 4.0)] == [3, 4]


def test_labels_that_do_not_fit_the_clip_are_left_out() -> None:
    labels = [Phone(1.0, "a"), Phone(0.5, "b"), Phone(9.0, "c")]
    assert [part.tolist() for part in shared_segments(labels, labels, 3.0, 3.0)] == [[1, 2], [1, 2]]


def test_phone_labels_have_starts_and_symbols(tmp_path: Path) -> None:
    (tmp_path / "a.lablaut").write_text(LABELS, encoding="latin-1")
    assert read_phone_labels(tmp_path / "a.lablaut") == [
        Phone(0.1, "h"),
        Phone(0.2, "a", stressed=True),
        Phone(0.5, "!t"),
        Phone(0.6, "."),
    ]
    with pytest.raises(InputError, match="no phone labels"):
        read_phone_labels(tmp_path / "b.lablaut")


def test_sentences_that_both_manners_say_are_paired(pairs: list[TakePair], corpus: Path) -> None:
    assert [(p.plain.text, p.styled.text) for p in pairs] == [("he", "he."), ("hi", "hi."), ("ho", "ho.")]
    assert {(p.plain.speaker, p.styled.speaker, p.voice, p.manner) for p in pairs} == {("anna", "ben", "anna", "ben")}
    with pytest.raises(InputError, match="both anna and clara"):
        recorded_pairs(corpus, "anna", "clara", "train")


def test_acted_takes_stand_beside_a_neutral_one_unless_few_recognised_them(acted: Path) -> None:
    found = acted_pairs(acted)
    assert [(p.plain.path.stem, p.styled.path.stem, p.manner) for p in found] == [
        ("n1", "h", "happy"),
        ("n1", "f", "angry"),
    ]
    assert [path.name for path in found[0].labels or ()] == ["n1xx.lablaut", "hxx.lablaut"]
    assert acted_pairs(acted, without=["03"]) == []
    with pytest.raises(InputError, match=r"no manifest\.csv"):
        acted_pairs(acted / "lablaut")


def test_hand_labels_decide_which_frames_correspond(acted: Path, vits: FrozenVits) -> None:
    pair = acted_pairs(acted)[0]
    assert pair.labels
    for path, factor in zip(pair.labels, (1, 2), strict=True):
        rows = "".join(f"{0.16 * factor * n:.6f} -1 {symbol}\n" for n, symbol in enumerate("_ha."))
        path.write_text(f"signal x\n#\n{rows}", encoding="latin-1")
    plain, styled = (Latent(torch.zeros(1, 8, n), torch.ones(1, 1, n)) for n in (40, 80))
    durations = aligned(vits, pair, plain, styled, "anna")
    assert [part.tolist() for part in durations] == [[10, 10, 10, 10], [20, 20, 20, 20]]


def test_prepared_takes_are_pairs_of_equal_length_that_keep_the_voice(
    pairs: list[TakePair], vits: FrozenVits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steady = Alignment(torch.ones(1, 1, dtype=torch.long))
    whole = {n: dataclasses.replace(steady, durations=torch.tensor([[n]])) for n in range(100)}
    monkeypatch.setattr(FrozenVits, "align", lambda _, latent, *__: whole[latent.z.shape[2]])
    assert prepare_takes(vits, Ear(), pairs, tmp_path / "takes") == 3  # type: ignore[arg-type]
    latents = load_takes(tmp_path / "takes")
    plain, styled = (latents.examples[field] for field in ("neutral", "target"))
    assert [x.shape for x in plain] == [x.shape for x in styled]
    own = vits.encode_speech(Waveform.of(torch.from_numpy(pairs[0].plain.read(RATE)), RATE), "anna")
    assert torch.allclose(plain[0].float(), own.stretched(styled[0].shape[1]).z[0], atol=0.01)
    assert latents.speaker.tolist() == [0, 0, 0]
    assert np.allclose(latents.log_ratio, np.log(1.5), atol=0.03)
    assert [sorted(x) for x in latents.similar] == [[1, 2], [0, 2], [0, 1]]
    assert latents.natural.all()
    assert latents.latent_hash == vits.latent_hash
    with pytest.raises(InputError, match="prepare takes"):
        load_takes(tmp_path)


def test_a_bridge_learns_from_takes_and_keeps_the_source_without_a_condition(
    pairs: list[TakePair], vits: FrozenVits, tmp_path: Path
) -> None:
    prepare_takes(vits, Ear(), pairs * 2, tmp_path)  # type: ignore[arg-type]
    latents = load_takes(tmp_path)
    task = BridgeTask(configuration(pairing={"takes": 1.0}, condition={"other_clip": 1.0}), latents, vits)
    source, target, mask = task._pairs(np.array([0, 1]), np.array([True, False]), np.random.default_rng(0))[:3]
    assert not torch.equal(source[0], target[0])
    assert torch.equal(source[1], target[1])
    assert mask.all()
    assert all(np.isfinite(value) for value in task.step(0).values())
