"""Words outside the lexicon are taken as the nearest expression, and opposites are not near."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from latent_edit.checkpoint import default_root
from latent_edit.data.neighbours import (
    Neighbours,
    WordVectors,
    choose_words,
    described,
    expressions,
    rare_words,
    write_words,
)
from latent_edit.data.wordnet import WordNet, read_wordnet
from latent_edit.errors import InputError
from latent_edit.models.clap_mini import WORDS_NAME, read_words
from latent_edit.prompts.grammar import says_nothing
from latent_edit.prompts.lexicon import load_lexicon

# Synsets as the database writes them: offset, file, part, words, pointers, gloss.
ADJECTIVES = """\
  a line of its licence
00000001 00 a 02 irate 0 ireful 0 001 & 00000002 a 0000 | feeling or showing extreme anger; "irate protesters"
00000002 00 a 01 angry 0 001 ! 00000003 a 0101 | feeling or showing anger
00000003 00 a 01 pleased 0 001 ! 00000002 a 0101 | experiencing pleasure
"""


@pytest.fixture
def net(tmp_path: Path) -> WordNet:
    (tmp_path / "data.adj").write_text(ADJECTIVES)
    for part in ("adv", "verb", "noun"):
        (tmp_path / f"data.{part}").write_text("")
    return read_wordnet(tmp_path)


def test_wordnet_is_read(net: WordNet) -> None:
    assert net.relations("irate", ["ireful", "angry", "table"]) == [1.0, 0.7, 0.0]
    assert net.relations("angry", ["pleased"]) == [-1.0]
    assert net.glosses["irate"] == [["feeling", "showing", "extreme", "anger"]]
    with pytest.raises(InputError, match="WordNet"):
        read_wordnet(Path("nowhere"))


def test_expressions_hold_nothing_that_is_held_out() -> None:
    held_out = {word.text for words in load_lexicon().words.values() for word in words if word.held_out}
    assert held_out.isdisjoint(word.text for word in expressions())


def test_a_word_is_taken_as_the_nearest_expression(net: WordNet, tmp_path: Path) -> None:
    texts = sorted({word.text for word in expressions()})
    generator = np.random.default_rng(0)
    axes = generator.standard_normal((len(texts) + 1, 64))
    meanings = dict(zip([*texts, "table"], axes / np.linalg.norm(axes, axis=1, keepdims=True), strict=True))
    meanings["irate"] = meanings["ireful"] = meanings["angry"]
    known = WordVectors(["irate", "table"], np.zeros((2, 3)))
    neighbours = Neighbours(known, meanings, net)
    assert neighbours.nearest("irate") == "angry"
    assert neighbours.nearest("table") is None
    assert write_words(tmp_path / WORDS_NAME, ["table", "irate"], ["ireful", "wroth"], neighbours) == 2
    assert read_words(tmp_path) == {"irate": "angry", "ireful": "angry", "table": ""}


def test_everyday_words_are_never_taken_as_an_expression(net: WordNet) -> None:
    meanings = {word.text: np.ones(2) for word in expressions()} | {"always": np.ones(2), "dogs": np.ones(2)}
    neighbours = Neighbours(WordVectors([], np.zeros((0, 3))), meanings, net)
    assert neighbours.nearest("always") is None and neighbours.nearest("dogs") is None
    shipped = read_words(default_root() / "clap-mini")
    assert {"always", "dogs", "walking"} <= shipped.keys()
    assert not any(says_nothing(word) for word, meant in shipped.items() if meant)


def test_a_synonym_is_taken_however_far_its_vectors_are(net: WordNet) -> None:
    texts = sorted({word.text for word in expressions()})
    vectors = np.eye(len(texts) + 1, dtype=np.float32)
    meanings = dict(zip([*texts, "irate"], vectors, strict=True))
    neighbours = Neighbours(WordVectors([], np.zeros((0, 3))), meanings, net)
    net.glosses["irate"] = [["angry"]]
    assert neighbours.nearest("irate") == "angry"
    net.near["irate"], net.synonyms["irate"] = set(), {"irate"}
    assert neighbours.nearest("irate") is None


def test_an_inflection_brings_its_base_and_rare_words_describe(net: WordNet) -> None:
    assert described(["irates", "zyx"], net) == ["irates", "irate"]
    assert described(["irates", "irate"], net) == ["irates", "irate"]
    assert rare_words({"irate"}, net) == ["ireful", "angry", "pleased"]


def test_only_words_are_chosen_the_most_frequent_first(net: WordNet) -> None:
    assert choose_words(WordVectors(["the", "zyx!", "irate"], np.zeros((3, 2))), net) == ["the", "irate"]
