"""What runs for whom, so that a visitor who does not want to wait any more stops their own run and no other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import gradio as gr


class CancelledError(Exception):
    """A visitor does not want to wait any more."""


class Running:
    """The runs of one endpoint, of each visitor the latest."""

    def __init__(self) -> None:
        self._cancelled: dict[str | None, threading.Event] = {}  # by session: set when the visitor cancels

    def stop(self, visitor: gr.Request | None) -> None:
        """End the visitor's run when it next tells how far it is."""
        if visitor and (cancelled := self._cancelled.get(visitor.session_hash)):
            cancelled.set()

    @contextmanager
    def cancellable(self, visitor: gr.Request | None, progress: gr.Progress) -> Iterator[Callable[[str, float], None]]:
        """What tells the stages to a visitor, and ends the block quietly at the next one once they have cancelled."""
        session, cancelled = visitor.session_hash if visitor else None, threading.Event()
        self._cancelled[session] = cancelled

        def tell(words: str, share: float) -> None:
            if cancelled.is_set():
                raise CancelledError
            progress(share, desc=words[:1].upper() + words[1:])

        try:
            yield tell
        except CancelledError:
            pass
        finally:
            if self._cancelled.get(session) is cancelled:
                del self._cancelled[session]
