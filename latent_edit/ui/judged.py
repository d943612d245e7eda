"""What judges that know nothing of this project hear in both clips; asked only on demand, since they are slow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from latent_edit import judges
from latent_edit.wording import number

if TYPE_CHECKING:
    from latent_edit.result import EditResult

NOT_INSTALLED = "Not measured: {} is not installed here; it comes with requirements-dev.txt."


def judged_value(result: EditResult) -> dict[str, Any]:
    """heard: for before and after (name) the words that the recogniser hears. voice: cosine of both speakers, as text.

    Of a recording heard begins with the original, and kept says how many of its words before has; else kept is None.
    Each is None where its judge is not installed, and `missing` says so in one line.
    """
    clips = {name: (clip.item(0).numpy(), clip.sampling_rate) for name, clip in result.clips.items()}
    missing = [judge for judge in (judges.RECOGNISER, judges.SPEAKER_ENCODER) if not judges.installed(judge)]
    heard = voice = kept = None
    if judges.RECOGNISER not in missing:
        heard = [{"name": name, "words": judges.recognise(*clip)} for name, clip in clips.items()]
    if heard and result.recording is not None:
        original = judges.recognise(result.recording.item(0).numpy(), result.recording.sampling_rate)
        kept = _kept(original, heard[0]["words"])
        heard.insert(0, {"name": "original", "words": original})
    if judges.SPEAKER_ENCODER not in missing:
        before, after = (judges.speaker_embedding(*clip) for clip in clips.values())
        voice = number(float(before @ after), 2)
    return {"heard": heard, "voice": voice, "kept": kept, "missing": [NOT_INSTALLED.format(judge) for judge in missing]}


def _kept(original: str, before: str) -> str | None:
    """How many words of a recording are heard in before as well; None where no word is heard in the recording."""
    spoken = judges.words(original)
    if not spoken:
        return None
    errors, count = judges.word_errors(original, before)
    return f"{max(0, count - errors)} of {count}"
