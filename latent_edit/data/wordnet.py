"""WordNet 3.0 as its database files hold it: what words mean, and what they are near to or the opposite of."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from latent_edit.errors import InputError

PARTS = {"adj": "a", "adv": "r", "verb": "v", "noun": "n"}
ANTONYM = "!"
NEAR = frozenset("&+\\^$")  # similar to, derived from, pertains to, see also, verb group
VERB_RELATIONS = frozenset("@~")  # more general and more particular
SENSES = 6  # of a word; rarer ones mislead more than they tell
EMPTY = frozenset(
    """a an the of or and in to with by from for as at on not is are be been being having has have that which who
    whom it its very some any one ones something someone used especially eg ie usually""".split()  # noqa: SIM905  (words, to be read)
)


@dataclass
class WordNet:
    """By word. fields: numbers of WordNet's lexicographer files ("noun.person" is 18); glosses: content words."""

    synonyms: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    near: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    antonyms: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    glosses: dict[str, list[list[str]]] = field(default_factory=lambda: defaultdict(list))
    fields: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def around(self, word: str) -> set[str]:
        """The word's synonyms and what it is near to."""
        return self.synonyms.get(word, set()) | self.near.get(word, set())

    def relations(self, word: str, others: Sequence[str]) -> list[float]:
        """How each other word stands to this one: up to 1 for a synonym, down to -1 for an opposite."""
        one = self.around(word)
        opposites = set().union(*(self.antonyms.get(w, ()) for w in one | {word}))
        found = []
        for other in others:
            synonyms = self.synonyms.get(other, set())
            if other in self.synonyms.get(word, ()):
                value = 1.0
            elif other in one or word in self.near.get(other, ()):
                value = 0.7
            else:
                value = min(0.5, 0.25 * len((one & self.around(other)) - {word, other}))
            found.append(value - (not opposites.isdisjoint(synonyms | {other})))
        return found


def read_wordnet(folder: Path) -> WordNet:
    """The database in a folder with data.adj, data.adv, data.verb and data.noun. Raises InputError."""
    synsets: dict[tuple[str, str], tuple[list[str], list[list[str]]]] = {}
    net = WordNet()
    for name, letter in PARTS.items():
        path = folder / f"data.{name}"
        if not path.is_file():
            raise InputError(f"there is no {path}; give the folder of WordNet's database (Debian: wordnet-base)")
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("  "):
                continue  # its licence
            head, _, gloss = line.partition("|")
            values = head.split()
            count = int(values[3], 16)
            words = [re.sub(r"\(.*\)", "", w).lower().replace("_", " ") for w in values[4 : 4 + 2 * count : 2]]
            at = 4 + 2 * count
            pointers = [values[at + 1 + 4 * n : at + 5 + 4 * n] for n in range(int(values[at]))]
            synsets[letter, values[0]] = (words, pointers)
            told = [w for w in re.findall(r"[a-z]+", gloss.split(";")[0].split('"')[0].lower()) if w not in EMPTY]
            for word in words:
                net.synonyms[word] |= set(words)
                net.fields[word].add(int(values[1]))
                if told and len(net.glosses[word]) < SENSES:
                    net.glosses[word].append(told[:8])
    for (letter, _), (words, pointers) in synsets.items():
        for symbol, offset, part, ends in pointers:
            target = synsets[part.replace("s", "a"), offset][0]
            sources = [words[int(ends[:2], 16) - 1]] if ends[:2] != "00" else words
            targets = [target[int(ends[2:], 16) - 1]] if ends[2:] != "00" else target
            if symbol == ANTONYM:
                _join(net.antonyms, sources, targets)
            elif symbol in NEAR or (symbol in VERB_RELATIONS and letter == "v"):
                _join(net.near, sources, targets)
    return net


def _join(relation: dict[str, set[str]], sources: list[str], targets: list[str]) -> None:
    for word in sources:
        relation[word] |= set(targets)
