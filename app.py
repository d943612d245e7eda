"""Start the page: `python app.py`, then open the address it prints."""

from __future__ import annotations

import argparse
import importlib
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from latent_edit.editor import LatentEditor

EXAMPLES = Path(__file__).parent / "assets" / "examples.yaml"
LARGEST_UPLOAD = "64mb"  # what is refused before it is sent; a clip may have less, which the page says where it stands
VISITORS_KEPT = 200  # how many visitors' last edits are kept, for an hour at most: 1 MB for a sentence, 30 for a page
VARIABLES = """gradio's environment variables hold (GRADIO_SERVER_NAME, GRADIO_ROOT_PATH, GRADIO_TEMP_DIR, ...), but run
history and monitoring stay off, and nothing is reported to gradio unless GRADIO_ANALYTICS_ENABLED is True."""
Accounts = list[tuple[str, str]]


def accounts_file(name: str) -> Accounts:
    """Accounts from a file with one `name:password` per line; empty lines and lines that begin with # do not count."""
    try:
        lines = Path(name).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise argparse.ArgumentTypeError(f"cannot read {name} ({error})") from None
    accounts: Accounts = []
    for line_number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        user, colon, password = line.partition(":")
        if not (user.strip() and colon and password):
            raise argparse.ArgumentTypeError(f"line {line_number} of {name} is not name:password")
        accounts.append((user.strip(), password))
    if not accounts:
        raise argparse.ArgumentTypeError(f"{name} has no accounts; write one name:password per line")
    return accounts


def positive(text: str) -> int:
    """A whole number above zero."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above zero")
    return int(text)


def port(text: str) -> int:
    """A port of TCP."""
    number = positive(text)
    if number > 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port; the last one is 65535")
    return number


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Flags. What is left out follows gradio's environment variables."""
    parser = argparse.ArgumentParser(description="Start the page of Latent Edit.", epilog=VARIABLES)
    parser.add_argument("--host", help="address to listen on, 0.0.0.0 for all (default: this machine only)")
    parser.add_argument("--port", type=port, help="port to listen on (default: the first free one from 7860)")
    parser.add_argument("--share", action="store_true", default=None, help="add a public link through gradio's servers")
    parser.add_argument("--max-queue", type=positive, default=20, help="how many may wait (default: %(default)s)")
    parser.add_argument("--auth-file", type=accounts_file, help="only these visitors: one name:password per line")
    parser.add_argument(
        "--study", type=Path, default=os.environ.get("LATENT_EDIT_STUDY") or None,
        help="serve this rendered listening study alone, without the editor (see docs/LISTENING.md)",
    )  # fmt: skip
    return parser.parse_args(arguments)


def start_on_zero_gpu() -> None:
    """Let a Space on ZeroGPU start: it refuses an app in which no function may ask for its GPU.

    Nothing here asks for it. An edit takes about a second on the CPU, and visitors have few GPU minutes a day.
    """
    try:
        spaces = importlib.import_module("spaces")  # such a Space brings it along; no requirement does
    except ImportError:  # anywhere else
        return
    spaces.GPU(start_on_zero_gpu)


def serve_study(options: argparse.Namespace) -> None:
    """A listening study in place of the page, at the same address and port."""
    from latent_edit.errors import InputError
    from latent_edit.listening.commands import monitor_password
    from latent_edit.listening.server import serve

    host = options.host or os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1")
    chosen = options.port or int(os.environ.get("GRADIO_SERVER_PORT", "7860"))
    try:
        serve(options.study, host, chosen, monitor_password(), os.environ.get("LATENT_EDIT_STUDY_DATASET"))
    except InputError as error:
        raise SystemExit(f"cannot start: {error}") from None


def main(arguments: Sequence[str] | None = None, load: Callable[[], LatentEditor] | None = None) -> None:
    """Show the page, or a study, and serve until stopped. `load` replaces the shipped editor."""
    options = parse_arguments(arguments)
    start_on_zero_gpu()  # before torch is imported
    if options.study:
        serve_study(options)
    else:
        serve_page(options, load)


def serve_page(options: argparse.Namespace, load: Callable[[], LatentEditor] | None) -> None:
    """The page first, then the models behind it."""
    # gradio asks matplotlib for its backend at every event; left open, the answer loads pyplot, which nothing uses.
    os.environ.setdefault("MPLBACKEND", "agg")
    os.environ.pop("GRADIO_DEBUG", None)  # `launch` would wait for the end of the server, and no model would be loaded

    from latent_edit.config import read_yaml
    from latent_edit.ui import look
    from latent_edit.ui.loading import EditorLoader, load_editor
    from latent_edit.ui.page import build_page

    loader = EditorLoader(load or load_editor)
    page = build_page(loader, read_yaml(EXAMPLES))
    page.queue(max_size=options.max_queue, api_open=False)  # nobody edits without waiting for their turn
    try:
        page.launch(
            server_name=options.host,
            server_port=options.port,
            share=options.share,
            auth=options.auth_file,
            max_file_size=LARGEST_UPLOAD,
            state_session_capacity=VISITORS_KEPT,
            prevent_thread_lock=True,
            run_history=False,
            enable_monitoring=False,
            footer_links=[],
            theme=look.theme(),
            css=look.stylesheet(),
            head=look.HEAD,
            favicon_path=look.FAVICON,
        )
    except OSError as error:  # above all a port that is taken
        raise SystemExit(f"cannot start: {error}") from None
    if page.allowed_paths:
        print(f"* GRADIO_ALLOWED_PATHS: visitors can read everything in {', '.join(page.allowed_paths)}", flush=True)
    # Only now: while models load, this process answers slowly, and the page should be there first.
    loader.start()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a service that stops it deletes files as well
    page.block_thread()


if __name__ == "__main__":
    main()
