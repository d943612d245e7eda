"""Unicode to the characters that English is written in: composed, visible, without look-alikes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from latent_edit.text.record import Record

APOSTROPHES = "\u2018\u2019\u201a\u201b\u02bc\u02bb\u02b9\u02c8\u2032\u2035\u00b4\uff07\u02bd\u055a\ua78c\u02ee"
QUOTES = "\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033\u2036\uff02\u301d\u301e\u301f\u2039\u203a\u300c\u300d\u300e\u300f"
HYPHENS, DASHES = "\u2010\u2011\u00ad\u2043\ufe63\uff0d", "\u2012\u2013\u2014\u2015\u2e3a\u2e3b\ufe58\u301c"
BEFORE_COMPATIBILITY = str.maketrans(
    {
        **dict.fromkeys(APOSTROPHES, "'"),
        **dict.fromkeys(QUOTES, '"'),
        **dict.fromkeys(HYPHENS, "-"),
        **dict.fromkeys(DASHES, "\u2014"),
        "\u00ad": "",  # soft hyphen
        "\u2013": "\u2013",  # between numbers it means "to"
        "\u00ba": "\u00b0",  # masculine ordinal, typed for a degree
        "\u02da": "\u00b0",
        "\u2044": "/",
        "\u2028": "\n",
        "\u2029": "\n\n",
        "\u3002": ". ",
        "\uff0c": ", ",
        "\u3001": ", ",
    }
)
# Letters of other scripts that are drawn like Latin ones, and those.
LOOK_ALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u04bb\u051b\u051d\u043a\u043c\u0442\u0432\u043d"
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0406\u0408\u0405\u04ae\u0501\u0432"
    "\u03bf\u03b1\u03bd\u03c1\u03c5\u03b9\u03ba\u03c4\u03c7\u03b5"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7",
    "aeopcyxijsdhqwkmtbhABEKMHOPCTYXIJSYdboavpuiktxeABEZHIKMNOPTYX",
)
CONSONANTAL = (
    "ARABIC",
    "HEBREW",
    "SYRIAC",
    "SAMARITAN",
)  # without vowels their letters are no guide to an English reader
KEPT_SYMBOLS = "\u00b0\u00a9\u2116"  # of the category of emoji, but read
VULGAR = re.compile(r"(?<=\d)\s?([\u00bc-\u00be\u2150-\u215e\u2189])")
THIN_SPACE_OF_THOUSANDS = re.compile(r"(?<=\d)[\u00a0\u2009\u202f](?=\d{3}(?!\d))")
RAISED = re.compile(r"([\u2070\u00b9\u00b2\u00b3\u2074-\u2079\u207a\u207b]+)")
WORD_OF_LETTERS = re.compile(r"[^\W\d_]+")


def plain_characters(text: str, record: Record) -> str:
    """NFKC with the typographer's marks as plain ones; invisible characters vanish, emoji are left out and noted."""
    import ftfy

    text = ftfy.fix_text(text, uncurl_quotes=False, unescape_html=False)  # mojibake, escapes, halves of surrogates
    text = THIN_SPACE_OF_THOUSANDS.sub(",", text)
    text = VULGAR.sub(r" \1", text.translate(BEFORE_COMPATIBILITY))
    text = re.sub(r"(?<=\d)\s*\u2212\s*(?=\d)", " minus ", text).replace("\u2212", "-")
    text = RAISED.sub(_exponent, text)
    text = re.sub(r"[\u2122\u00ae]", lambda match: record.leave_out(match.group()), text)
    text = re.sub(r"\d?\ufe0f?\u20e3", lambda match: record.leave_out(match.group()), text)
    text = unicodedata.normalize("NFKC", text).replace("\u2044", "/")
    text = re.sub(r"(?<=\w)`(?=\w)", "'", _visible(text, record))
    return WORD_OF_LETTERS.sub(_without_look_alikes(text), text)


def _exponent(match: re.Match[str]) -> str:
    """Raised digits keep their meaning: 10\u00b2 is not 102. After letters and words they are notes or units."""
    plain = unicodedata.normalize("NFKC", match.group())
    return "^" + plain.replace("\u2212", "-").replace("\u207b", "-")


def _visible(text: str, record: Record) -> str:
    """Without controls, format characters, marks that nothing carries, and emoji."""
    kept: list[str] = []
    for character in text:
        category = unicodedata.category(character)
        if character == "\n" or character in KEPT_SYMBOLS:
            kept.append(character)
        elif category == "Cc":
            kept.append(" ")
        elif category in ("So", "Co", "Sk") and character not in "^`":
            record.leave_out(character)
            kept.append(" ")
        elif category in ("Cf", "Cs", "Cn", "Me") or "\ufe00" <= character <= "\ufe0f":
            continue
        elif category == "Mn" and kept and unicodedata.name(kept[-1], "").startswith(("LATIN", "SPACE", "DIGIT")):
            continue  # what NFKC could not compose: decoration
        else:
            kept.append(character)
    return "".join(kept)


def script(letter: str) -> str:
    """The script of a letter: the first word of its name."""
    return unicodedata.name(letter, "UNKNOWN").split()[0]


def _without_look_alikes(text: str) -> Callable[[re.Match[str]], str]:
    """The replacement of one word: letters of other scripts become Latin where the word, or all the text, is Latin."""
    letters = [x for x in text if x.isalpha()]
    latin_text = 2 * sum(x.isascii() for x in letters) > len(letters)

    def replace(match: re.Match[str]) -> str:
        word = match.group()
        if word.isascii():
            return word
        plain = word.translate(LOOK_ALIKES)
        mixed = any(x.isascii() for x in word)
        if mixed or (latin_text and plain.isascii()):
            return plain if plain.isascii() or not mixed else _romanised_letters(plain)
        return word

    return replace


def _romanised_letters(word: str) -> str:
    """A word of Latin and other letters: what is no accented letter of Western Europe as the nearest plain one."""
    from anyascii import anyascii

    return "".join(x if x <= "\u017f" else anyascii(x) for x in word)


def latin_script(text: str, record: Record) -> str:
    """Words of other scripts in Latin letters as far as these tell their sound; each is noted."""

    def replace(match: re.Match[str]) -> str:
        from anyascii import anyascii

        word = match.group()
        scripts = {script(x) for x in word if x.isalpha()}
        if scripts <= {"LATIN"}:
            return word if max(word) <= "\u017f" else _romanised_letters(word)
        if scripts <= {"GREEK"} and len(word) == 1:  # a symbol
            return f" {unicodedata.name(word).split()[-1].lower()} "
        plain = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", anyascii(word)).lower()
        read = "" if scripts & set(CONSONANTAL) else " ".join(re.findall(r"[a-z']+", plain))
        record.foreign[word] = read
        return f" {read} "

    return re.sub(r"[^\W\d_][^\W\d_\u0300-\u036f]*(?:[\u0900-\u0dff\u0e00-\u0eff]+)*", replace, text)
