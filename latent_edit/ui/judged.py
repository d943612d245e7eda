"""What judges that know nothing of this project hear in both clips; asked only on demand, since they are slow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from latent_edit import judges
from latent_edit.ui.measured import number

if TYPE_CHECKING:
    from latent_edit.result import EditResult

NOT_INSTALLED = "Not measured: {} is not installed here; it comes with requirements-dev.txt."


def judged_value(result: EditResult) -> dict[str, Any]:
    """heard: for before and after (name) the words that the recogniser hears. voice: cosine of both speakers, as text.

    Each is None where its judge is not installed, and `missing` says so in one line.
    """
    clips = {name: (clip.item(0).numpy(), clip.sampling_rate) for name, clip in result.clips.items()}
    missing = [judge for judge in (judges.RECOGNISER, judges.SPEAKER_ENCODER) if not judges.installed(judge)]
    heard = voice = None
    if judges.RECOGNISER not in missing:
        heard = [{"name": name, "words": judges.recognise(*clip)} for name, clip in clips.items()]
    if judges.SPEAKER_ENCODER not in missing:
        before, after = (judges.speaker_embedding(*clip) for clip in clips.values())
        voice = number(float(before @ after), 2)
    return {"heard": heard, "voice": voice, "missing": [NOT_INSTALLED.format(judge) for judge in missing]}
