"""What text normalisation did that a person should know about."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Record:
    """Filled while a text is normalised, in the order of the text.

    left_out: parts that are not read, as they were typed. spelt: what is read letter by letter. foreign: words of other
    scripts than Latin and how they are read; empty if they are not.
    """

    left_out: list[str] = field(default_factory=list)
    spelt: list[str] = field(default_factory=list)
    foreign: dict[str, str] = field(default_factory=dict)

    def leave_out(self, part: str) -> str:
        """Note a part that is not read; returns the empty string in its place."""
        shown = " ".join(part.split())
        if shown and shown not in self.left_out:
            self.left_out.append(shown)
        return ""

    def spell(self, part: str) -> None:
        """Note what is read letter by letter."""
        if part not in self.spelt:
            self.spelt.append(part)
