"""Text to symbol ids: the vocabulary of the public checkpoints, nothing voiced that it lacks, safe in threads."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from latent_edit.models.phonemes import (
    VITS_SYMBOLS,
    VITS_VOCABULARY,
    encode_symbols,
    encode_text,
    text_to_phonemes,
    tokenizer_front_end,
)


def test_the_vocabulary_is_that_of_the_public_checkpoints() -> None:
    """Positions as in kakao-enterprise/vits-vctk: blank, punctuation, space, letters, IPA."""
    assert len(VITS_SYMBOLS) == 178
    assert VITS_VOCABULARY["_"] == 0
    assert "".join(VITS_SYMBOLS[1:17]) == ';:,.!?¡¿—…"«»“” '
    assert VITS_SYMBOLS[17:69] == "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    assert (VITS_VOCABULARY["ɑ"], VITS_VOCABULARY["ə"], VITS_VOCABULARY["ˈ"]) == (69, 83, 156)
    assert VITS_VOCABULARY["ᵻ"] == 177
    assert set(VITS_VOCABULARY.values()) == set(range(178)) - {174}  # the apostrophe stands twice in the list
    assert VITS_VOCABULARY["'"] == 176


def test_text_becomes_phonemes_with_stress_and_punctuation() -> None:
    assert text_to_phonemes("Hello, world!") == "həlˈoʊ, wˈɜːld!"
    assert text_to_phonemes("  The   weather\nwill be fine ") == text_to_phonemes("The weather will be fine")


def test_blanks_are_interleaved() -> None:
    sequence = encode_text("Hello, world!")
    assert "".join(sequence.symbols[1::2]) == "həlˈoʊ, wˈɜːld!"
    assert set(sequence.symbols[::2]) == {"_"}
    assert len(sequence.ids) == len(sequence.symbols) == 2 * len("həlˈoʊ, wˈɜːld!") + 1
    assert sequence.ids[::2] == (0,) * (len("həlˈoʊ, wˈɜːld!") + 1)
    assert [VITS_SYMBOLS[i] for i in sequence.ids[1::2]] == list("həlˈoʊ, wˈɜːld!")
    assert sequence.dropped == ()
    assert sequence.count == len("həloʊwɜld")


def test_symbols_that_the_vocabulary_lacks_are_reported_and_never_voiced() -> None:
    sequence = encode_text("yes (no) [yes]")
    assert sequence.dropped == ("(", ")", "[", "]")
    assert sequence.ids == encode_text("yes no yes").ids
    odd = encode_symbols("aβ€b_€", VITS_VOCABULARY)
    assert odd.ids == encode_symbols("aβb", VITS_VOCABULARY).ids
    assert odd.dropped == ("€", "_")


def test_what_espeak_leaves_out_is_reported_too() -> None:
    assert encode_text("one \u266a two").dropped == ("\u266a",)
    assert encode_text("one \u266a two").ids == encode_text("one two").ids
    assert encode_text("five percent is 5 %, \u20ac 5, \u00a9").dropped == ()  # these are spoken


def test_without_blanks() -> None:
    sequence = encode_symbols("ab€", {"a": 5, "b": 7}, add_blank=False)
    assert (sequence.ids, sequence.symbols, sequence.dropped) == ((5, 7), ("a", "b"), ("€",))


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\x00", "'", "\u202e", "\ud800"])
def test_nothing_to_pronounce_is_a_single_blank(text: str) -> None:
    sequence = encode_text(text)
    assert (sequence.ids, sequence.symbols, sequence.count) == ((0,), ("_",), 0)


def test_punctuation_alone_has_no_phonemes_but_odd_text_does_no_harm() -> None:
    assert encode_text("?!…").count == 0
    assert encode_text("half a pair \ud83d here") == encode_text("half a pair here")
    for text in ("😀", "日本語", "e\u0301", "<b>1,234.5 %</b>", "a_b", "x" * 300):
        assert encode_text(text).count > 0


def test_eight_threads_give_what_one_gives() -> None:
    texts = [f"Sentence {number}, spoken by thread {number % 8}." for number in range(200)]
    alone = [encode_text(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(encode_text, texts))
    assert together == alone
    assert len({sequence.ids for sequence in alone}) == len(texts)


def tokenizer(folder: Path, vocabulary: dict[str, int], **options: bool):
    from transformers import VitsTokenizer

    path = folder / "vocab.json"
    path.write_text(json.dumps(vocabulary), encoding="utf-8")
    return VitsTokenizer(str(path), **options)


def test_a_hub_voice_of_phonemes_has_the_same_front_end(tmp_path: Path) -> None:
    encode = tokenizer_front_end(tokenizer(tmp_path, VITS_VOCABULARY, phonemize=True, normalize=True))
    assert encode("Hello, (world)!") == encode_text("Hello, (world)!")


def test_the_front_end_agrees_with_the_library_where_nothing_is_dropped(tmp_path: Path) -> None:
    """With phonemes given, transformers' own tokenizer must map and interleave as we do."""
    library = tokenizer(tmp_path, VITS_VOCABULARY, phonemize=False, normalize=False)
    phonemes = text_to_phonemes("The weather will be fine tomorrow.")
    assert tuple(library(phonemes).input_ids) == encode_symbols(phonemes, VITS_VOCABULARY).ids


def test_an_mms_voice_reads_letters(tmp_path: Path) -> None:
    letters = {letter: index for index, letter in enumerate("k'z heloy")}
    mms = tokenizer(tmp_path, letters, phonemize=False, normalize=True)
    sequence = tokenizer_front_end(mms)("Hello, Zoé")
    assert "".join(sequence.symbols[1::2]) == "hello zo"
    assert sequence.ids[1::2] == tuple(letters[letter] for letter in "hello zo")
    assert sequence.ids[::2] == (0,) * 9
    assert sequence.dropped == (",", "é")
    assert tuple(mms("Hello, Zoé").input_ids) == sequence.ids


def test_the_last_stressed_syllable() -> None:
    sequence = encode_text("Is it raining?")
    start = sequence.last_stress
    assert sequence.symbols[start] == "ˈ"
    assert "ˈ" not in sequence.symbols[start + 1 :]
    assert encode_text("").last_stress == 0
