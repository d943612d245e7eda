"""Yes/no questions rise at their end: a small step of the F0 contour on plain synthesis.

Of the recordings that a voice is trained on hardly any may be questions (three of 1,030 in one of ours), so its text
side says their words as a statement's. In English a yes/no question rises from its last stressed syllable on
(Pierrehumbert and Hirschberg 1990, "The meaning of intonational contours"); one with a question word falls like a
statement.
"""

from __future__ import annotations

import math
import re

import torch

from latent_edit.models.harmonic_source import HIGHEST_HZ, LOWEST_HZ
from latent_edit.models.phonemes import PhonemeSequence
from latent_edit.models.vits import FrozenVits
from latent_edit.optimize.decoder_params import SpeakerDecoder
from latent_edit.optimize.objectives import F0Contour
from latent_edit.optimize.solvers import project
from latent_edit.types import Latent

END_OCTAVES = 6 / 12  # above the median of the sentence, at the end of the rise
LONGEST_RISE_SECONDS = 0.6
QUESTION_WORDS = r"(?:what|who|whom|whose|which|when|where|why|how)(?:'s|'re|'d|'ll|'ve)?"
BEFORE_QUESTION_WORDS = (
    r"(?:and|but|so|or|then|well|now|oh|okay|yes|no|hey|in|at|to|for|from|with|of|by|on|about|since|until)"
)
OPENS_WITH_QUESTION_WORD = re.compile(rf"\W*(?:{BEFORE_QUESTION_WORDS}\W+){{0,2}}{QUESTION_WORDS}\b", re.IGNORECASE)
OPENS_WITH_VERB = re.compile(
    r"\W*(?:am|is|are|was|were|do|does|did|have|has|had|will|would|can|could|shall|should|may|might|must)(?:n't)?\b",
    re.IGNORECASE,
)


def is_yes_no_question(text: str) -> bool:
    """Whether a sentence asks for yes or no: it ends with a question mark, and its last clause opens with no question
    word."""
    if not text.rstrip().rstrip("\"')\u201d\u2019").endswith("?"):
        return False
    last = re.split(r"[,;:\u2014]\s", text)[-1]
    if OPENS_WITH_VERB.match(last):
        return True
    return not (OPENS_WITH_QUESTION_WORD.match(last) or OPENS_WITH_QUESTION_WORD.match(text))


def rise_starts_at(sequence: PhonemeSequence, durations: list[int]) -> int:
    """The frame at which the last stressed syllable of a sequence begins (0 if there is none)."""
    stressed = [index for index, symbol in enumerate(sequence.symbols) if symbol == "\u02c8"]
    return sum(durations[: stressed[-1]]) if stressed else 0


@torch.no_grad()
def with_final_rise(vits: FrozenVits, latent: Latent, start_frame: int, speaker: str | int) -> Latent:
    """Near a latent [1, C, T], one whose F0 rises from a frame on to the end, to `END_OCTAVES` above its median.

    Timing, voicing and all before stay. A voice without a source-filter decoder is left as it is.
    """
    if not vits.has_source_filter:
        return latent
    voice = SpeakerDecoder.of(vits, speaker)
    f0 = voice.f0(latent.z)
    start = max(start_frame, f0.shape[1] - round(LONGEST_RISE_SECONDS * vits.frames_per_second))
    last = (f0[0, start:] > 0).nonzero().squeeze(1) + start
    if len(last) < 2:
        return latent
    median = math.log2(float(f0[f0 > 0].median()))
    begin = min(math.log2(float(f0[0, last[0]])), median)
    share = (last - last[0]) / (last[-1] - last[0])
    f0[0, last] = torch.exp2(begin + share * (median + END_OCTAVES - begin)).clamp(LOWEST_HZ, HIGHEST_HZ)
    return Latent(project(latent.z, [F0Contour.of(voice, latent.z, f0)]), latent.mask)
