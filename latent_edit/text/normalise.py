"""Text normalisation: what people type to the words that an English voice reads.

In the order of the field (Taylor, Text-to-Speech Synthesis, 2009, chapter 5): characters, markup, semiotic classes
(addresses, dates, money, units, numbers ...), abbreviations and capitals, punctuation. num2words says the numbers; the
words of English are in `presets/text.yaml`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from latent_edit.text import abbreviations, addresses, dates, quantities
from latent_edit.text.capitals import read_capitals, read_codes
from latent_edit.text.characters import latin_script, plain_characters
from latent_edit.text.markup import without_markup
from latent_edit.text.punctuation import plain_punctuation, tidy
from latent_edit.text.record import Record
from latent_edit.text.rules import Rule, apply
from latent_edit.text.tables import table

PARAGRAPH = re.compile(r"\n\s*\n")


@dataclass(frozen=True)
class NormalisedText:
    """A text as it will be read.

    words: letters, apostrophes, hyphens inside words, and the marks . , ! ? ; : " and dash and ellipsis; paragraphs are
    parted by an empty line. left_out: parts of what was typed that are not read. spelt: what is read letter by letter.
    foreign: words of other scripts and how they are read (empty: not at all).
    """

    words: str
    left_out: tuple[str, ...] = ()
    spelt: tuple[str, ...] = ()
    foreign: tuple[tuple[str, str], ...] = ()

    def differs_from(self, text: str) -> bool:
        """Whether other words are read than are typed; marks, capitals and spaces do not count."""
        return _letters(self.words) != _letters(text)

    def notes_on(self, text: str) -> tuple[str, ...]:
        """The notes, and before them the words themselves where they differ from what was typed."""
        return (f"Read as: {' '.join(self.words.split())}", *self.notes) if self.differs_from(text) else self.notes

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know, one line each."""
        notes = []
        if self.left_out:
            notes.append(f"Left out of the text: {' '.join(self.left_out)}")
        if self.spelt:
            notes.append(f"Spelt letter by letter: {', '.join(self.spelt)}.")
        read = [f"{word} as {sound!r}" for word, sound in self.foreign if sound]
        if read:
            notes.append(f"This voice reads English; in other scripts it reads {', '.join(read)}.")
        if unread := [word for word, sound in self.foreign if not sound]:
            notes.append(f"This voice reads English; it cannot read {', '.join(unread)}.")
        return tuple(notes)


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).lower()


@lru_cache(maxsize=64)
def normalise(text: str) -> NormalisedText:
    """The words of a text in any spelling, markup and notation of English that the tables know."""
    record = Record()
    plain = without_markup(plain_characters(text, record), record)
    day_first = "\u00a3" in plain
    paragraphs = [_paragraph(part, day_first, record) for part in PARAGRAPH.split(plain)]
    return NormalisedText(
        words="\n\n".join(part for part in paragraphs if part),
        left_out=tuple(record.left_out),
        spelt=tuple(record.spelt),
        foreign=tuple(record.foreign.items()),
    )


def semiotic_rules(day_first: bool) -> list[Rule]:
    """What has figures, the most particular first."""
    return [
        *abbreviations.ADDRESS_RULES,
        *abbreviations.NUMBERED_RULES,
        *dates.date_rules(day_first),
        *dates.TIME_RULES,
        *dates.DECADE_RULES,
        *quantities.MONEY_RULES,
        *quantities.FRACTION_RULES,
        *quantities.UNIT_RULES,
        *dates.YEAR_RULES,
        *quantities.COUNT_RULES,
    ]


def _paragraph(text: str, day_first: bool, record: Record) -> str:
    text = re.sub(r"(?<=[a-z])-\n\s*(?=[a-z])", "", text.strip())  # a word divided at the end of a line
    text = whole = " ".join(text.split())
    text = apply([*addresses.TELEPHONE_RULES, *addresses.address_rules(record)], text)
    text = apply(abbreviations.ROMAN_RULES, text)
    text = apply(semiotic_rules(day_first), text)
    text = read_codes(text, record)
    text = apply(quantities.NUMBER_RULES, text)
    text = apply(abbreviations.abbreviation_rules(record), text)
    text = apply(abbreviations.SYMBOL_RULES, text)
    text = latin_script(text, record)
    text = plain_punctuation(text)
    text = read_capitals(text, record)
    text = re.sub(r"\w+", lambda match: table("respellings").get(match.group(), match.group()), text)
    text = re.sub(r"\d+", lambda match: " ".join(quantities.digits(match.group()).split()), text)  # nothing is lost
    words = tidy(text, record)
    if whole and not words:
        record.leave_out(whole)
    return words
