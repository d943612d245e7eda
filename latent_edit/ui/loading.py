"""The editor is loaded once, in a background thread, so that the page can be read while the models load."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING

from latent_edit.errors import InputError

if TYPE_CHECKING:
    from latent_edit.editor import LatentEditor

log = logging.getLogger(__name__)


def load_editor() -> LatentEditor:
    """The editor with the shipped checkpoints; torch and the models are imported here and not before."""
    from latent_edit.editor import LatentEditor

    return LatentEditor.load()


class EditorLoader:
    """One editor for all visitors. `start` returns at once; `get` waits until the editor is there."""

    def __init__(self, load: Callable[[], LatentEditor] = load_editor) -> None:
        self._load = load
        self._editor: Future[LatentEditor] = Future()
        # A daemon, so that Ctrl-C ends the process even while models are loading.
        self._thread = threading.Thread(target=self._run, name="load-editor", daemon=True)

    def start(self) -> None:
        """Begin loading in the background."""
        self._thread.start()

    @property
    def ready(self) -> bool:
        """True once loading has ended, well or badly: `get` does not wait any more."""
        return self._editor.done()

    def get(self) -> LatentEditor:
        """The editor, waiting for it if need be. Raises InputError when it could not be loaded."""
        return self._editor.result()

    @property
    def reads_english(self) -> bool:
        """Whether the voices read English: also while they are not there, and where they never will be."""
        try:
            return not self.ready or self.get().reads_english
        except InputError:  # the page's status says it
            return True

    def _run(self) -> None:
        try:
            self._editor.set_result(self._load())
        except InputError as error:
            log.error("%s", error)
            self._editor.set_exception(error)
        except Exception:
            # A fault of the program, not of the visitor: details belong in the log, not on the page.
            log.exception("the models could not be loaded")
            self._editor.set_exception(
                InputError("the models could not be loaded; the reason is in the log of the server")
            )
