"""Text to the symbol ids of a VITS voice. espeak is called behind one lock: it is not thread-safe."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

# The 178 symbols of the public VITS checkpoints (jaywalnut310/vits, text/symbols.py): blank, punctuation, letters, IPA.
# The apostrophe stands twice in the published list; the second position is the one that counts.
VITS_SYMBOLS = (
    "_"
    ';:,.!?¡¿—…"«»“” '
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    "ɑɐɒæɓʙβɔɕçɗɖðʤəɘɚɛɜɝɞɟʄɡɠɢʛɦɧħɥʜɨɪʝɭɬɫɮʟɱɯɰŋɳɲɴøɵɸθœɶʘɹɺɾɻʀʁɽʂʃʈʧʉʊʋⱱʌɣɤʍχʎʏʑʐʒʔʡʕʢǀǁǂǃˈˌːˑʼʴʰʱʲʷˠˤ˞↓↑→↗↘'̩'ᵻ"
)
VITS_VOCABULARY: dict[str, int] = {symbol: index for index, symbol in enumerate(VITS_SYMBOLS)}
BLANK = "_"
LONG_PAUSES = {"—": 0.03, "…": 0.22}  # seconds longer than a comma, which pauses as in the voice's recordings

_espeak_lock = threading.Lock()


@dataclass(frozen=True)
class PhonemeSequence:
    """What a voice will be asked to say.

    ids: symbol ids, blanks interleaved (2n + 1). symbols: the symbol of each id, "_" for a blank.
    dropped: characters that the voice's vocabulary lacks; they are left out, never voiced.
    """

    ids: tuple[int, ...]
    symbols: tuple[str, ...]
    dropped: tuple[str, ...]

    @property
    def count(self) -> int:
        """Number of sounding phonemes, without blanks, spaces, stress and punctuation."""
        return sum(symbol not in ' ˈˌː;:,.!?¡¿—…"«»“”' and symbol != BLANK for symbol in self.symbols)

    @property
    def last_stress(self) -> int:
        """Where among the symbols the last stressed syllable begins (0 if there is none)."""
        return max((place for place, symbol in enumerate(self.symbols) if symbol == "ˈ"), default=0)


# What espeak is not given: marks, which stand in the phonemes as they are, except inside a number.
MARKS = re.compile(r"(?:\s*(?:[;:!?¡¿—…\"«»“”(){}\[\]]|(?<![0-9])[.,]|[.,](?![0-9]))+\s*)+")


@lru_cache(maxsize=1)
def _espeak() -> Any:
    """The espeak backend of phonemizer with the library and data that come as a wheel (no system package)."""
    import espeakng_loader
    from phonemizer.backend import EspeakBackend
    from phonemizer.backend.espeak.wrapper import EspeakWrapper

    # Without the data path espeak ends the whole process.
    EspeakWrapper.set_library(espeakng_loader.get_library_path())
    EspeakWrapper.set_data_path(espeakng_loader.get_data_path())
    return EspeakBackend("en-us", with_stress=True, language_switch="remove-flags")


def text_to_phonemes(text: str) -> str:
    """IPA (en-us) with stress marks and punctuation, as public VITS voices were trained on; empty for empty text.

    The words between two marks are asked for together, and the marks put back here: phonemizer's own way of keeping
    them loses what follows a number with a decimal point.
    """
    # Half of a surrogate pair is no character. espeak would take a line break for the end of a sentence.
    text = " ".join(text.encode("utf-8", "ignore").decode("utf-8").split())
    chunks, marks = MARKS.split(text), [*MARKS.findall(text), ""]
    spoken = iter(_phonemes_of([chunk for chunk in chunks if chunk]))
    phonemes = "".join((next(spoken) if chunk else "") + mark for chunk, mark in zip(chunks, marks, strict=True))
    return re.sub(r"\s+", " ", phonemes).strip()


def _phonemes_of(chunks: list[str]) -> list[str]:
    """IPA of each chunk, which has no punctuation. Words of which fewer came back than went in are asked one by one."""
    if not chunks:
        return []
    with _espeak_lock:
        lines = _espeak().phonemize(chunks, strip=True)
        if len(lines) != len(chunks):
            raise RuntimeError(f"phonemizer returned {len(lines)} lines for {len(chunks)} ({chunks!r})")
        for index, (chunk, line) in enumerate(zip(chunks, lines, strict=True)):
            words = chunk.split()
            if 2 * len(line.split()) < len(words):  # espeak joins at most two words, as in "of the"
                lines[index] = " ".join(_espeak().phonemize([word], strip=True)[0] for word in words)
    return list(lines)


def encode_symbols(symbols: str, vocabulary: Mapping[str, int], add_blank: bool = True) -> PhonemeSequence:
    """Ids of a symbol string. Symbols outside `vocabulary` are dropped and reported."""
    kept = [symbol for symbol in symbols if symbol in vocabulary and symbol != BLANK]
    dropped = tuple(dict.fromkeys(symbol for symbol in symbols if symbol not in vocabulary or symbol == BLANK))
    if add_blank:
        interleaved = [BLANK] * (2 * len(kept) + 1)
        interleaved[1::2] = kept
        # The blank is the symbol with id 0, whatever a vocabulary calls it.
        ids = tuple(vocabulary[symbol] if index % 2 else 0 for index, symbol in enumerate(interleaved))
        return PhonemeSequence(ids, tuple(interleaved), dropped)
    return PhonemeSequence(tuple(vocabulary[symbol] for symbol in kept), tuple(kept), dropped)


def encode_phonemes(text: str, vocabulary: Mapping[str, int], add_blank: bool = True) -> PhonemeSequence:
    """Ids of a text's phonemes. What espeak leaves out without a word (emoji, musical notes) is reported as well."""
    sequence = encode_symbols(text_to_phonemes(text), vocabulary, add_blank)
    # Every word sounds. Other than letters and digits, spaces and punctuation are meant to be silent.
    words = (word for word in text.split() if any(x.isalnum() for x in word))
    odd = (character for character in text if unicodedata.category(character) == "So")
    silent = tuple(part for part in dict.fromkeys([*words, *odd]) if not text_to_phonemes(part))
    return replace(sequence, dropped=sequence.dropped + silent)


@dataclass(frozen=True)
class FrontEnd:
    """Text to the symbols and ids of one voice. english: whether it reads English, and so normalised text."""

    encode: Callable[[str], PhonemeSequence]
    english: bool = True

    def __call__(self, text: str) -> PhonemeSequence:
        return self.encode(text)


def encode_text(text: str) -> PhonemeSequence:
    """As the public VITS checkpoints encode phonemes, but for marks that the embedded voice has never been shown.

    Dash and ellipsis are read as a comma; `symbols` says what they are, which tells how long they pause.
    """
    sequence = encode_phonemes(text, VITS_VOCABULARY)
    comma = VITS_VOCABULARY[","]
    ids = (comma if x in LONG_PAUSES else i for x, i in zip(sequence.symbols, sequence.ids, strict=True))
    return replace(sequence, ids=tuple(ids))


def tokenizer_front_end(tokenizer: Any) -> FrontEnd:
    """The front end that a transformers `VitsTokenizer` describes: phonemes, or (MMS) the letters themselves."""

    def encode(text: str) -> PhonemeSequence:
        if tokenizer.phonemize:
            return encode_phonemes(text, tokenizer.encoder, tokenizer.add_blank)
        symbols = tokenizer.normalize_text(text) if tokenizer.normalize else text
        return encode_symbols(symbols, tokenizer.encoder, tokenizer.add_blank)

    return FrontEnd(encode, english=tokenizer.phonemize or tokenizer.language in (None, "en", "eng"))


def load_front_end(source: str, symbols: int, local: bool) -> FrontEnd:
    """The front end of a folder's or hub model's own tokenizer.

    Raises ValueError unless it has exactly the model's number of symbols: transformers would make one up.
    """
    from transformers import VitsTokenizer

    try:
        tokenizer = VitsTokenizer.from_pretrained(source, local_files_only=local)
    except TypeError:  # transformers opens a path that is None
        raise ValueError("its tokenizer lacks vocab.json") from None
    known = 1 + max(tokenizer.encoder.values(), default=-1)
    if known != symbols:
        raise ValueError(f"its tokenizer has {known} symbols, but the model {symbols}")
    return tokenizer_front_end(tokenizer)
