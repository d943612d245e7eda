"""The look: paper and ink, teal for before, vermilion for after; fonts that are already on the visitor's machine."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
from gradio.themes.utils import colors, sizes

STYLESHEET = Path(__file__).with_name("look.css")
FAVICON = Path(__file__).with_name("favicon.svg")
HEAD = f"""<meta name="description" content="One sentence in one voice, before and after words edited its latent.">
<script>{Path(__file__).with_name("sounds.js").read_text(encoding="utf-8")}</script>
<script>{Path(__file__).with_name("uploads.js").read_text(encoding="utf-8")}</script>
<script>{Path(__file__).with_name("takes.js").read_text(encoding="utf-8")}</script>
<script>{Path(__file__).with_name("strength.js").read_text(encoding="utf-8")}</script>"""
# Only names of installed fonts: a web font would be a request to another host.
SANS = ("ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "Liberation Mono", "monospace")

# name: (light, dark). Text colours have a contrast of at least 4.5:1 on `paper` and on `card`; a test computes it.
PALETTE = {
    "paper": ("#f6f3ec", "#12151b"),
    "card": ("#fffefa", "#1a1e27"),
    "ink": ("#1c2130", "#ece8df"),
    "quiet": ("#5a6070", "#a4abba"),
    "line": ("#dfd9cc", "#2d3440"),
    "edge": ("#8a8778", "#6c7485"),
    "before": ("#0b6a70", "#62c6c4"),
    "after": ("#ad3a1c", "#ff9d78"),
    "on-accent": ("#ffffff", "#26100a"),
    "tint": ("#f3e6dd", "#2c2422"),
}


def palette_css() -> str:
    """The palette as CSS variables, for light and dark; gradio marks an element inside the body as dark."""
    light = "".join(f"--{name}:{colour};" for name, (colour, _) in PALETTE.items())
    dark = "".join(f"--{name}:{colour};" for name, (_, colour) in PALETTE.items())
    return f":root{{{light}color-scheme:light}}\n:root:has(.dark),.dark{{{dark}color-scheme:dark}}\n"


def stylesheet() -> str:
    """All CSS of the page."""
    return palette_css() + STYLESHEET.read_text(encoding="utf-8")


# gradio's own components in the palette: one value for light and dark, since the palette's variables differ already.
GRADIO_VARIABLES = {
    "body_background_fill": "var(--paper)",
    "body_text_color": "var(--ink)",
    "body_text_color_subdued": "var(--quiet)",
    "background_fill_primary": "var(--card)",
    "background_fill_secondary": "var(--paper)",
    "block_background_fill": "transparent",
    "block_border_width": "0px",
    "block_shadow": "none",
    "block_padding": "0px",
    "block_label_text_color": "var(--ink)",
    "block_title_text_color": "var(--ink)",
    "block_title_text_weight": "600",
    "block_info_text_color": "var(--quiet)",
    "border_color_primary": "var(--line)",
    "border_color_accent": "var(--after)",
    "color_accent": "var(--after)",
    "color_accent_soft": "var(--tint)",
    "input_background_fill": "var(--card)",
    "input_border_color": "var(--edge)",
    "input_border_color_focus": "var(--after)",
    "input_placeholder_color": "var(--quiet)",
    "input_shadow": "none",
    "input_shadow_focus": "none",
    "slider_color": "var(--after)",
    "checkbox_label_background_fill": "var(--card)",
    "checkbox_label_background_fill_hover": "var(--tint)",
    "checkbox_label_background_fill_selected": "var(--after)",
    "checkbox_label_border_color": "var(--edge)",
    "checkbox_label_border_color_selected": "var(--after)",
    "checkbox_label_text_color": "var(--ink)",
    "checkbox_label_text_color_selected": "var(--on-accent)",
    "button_primary_background_fill": "var(--after)",
    "button_primary_background_fill_hover": "color-mix(in srgb, var(--after) 88%, var(--ink))",
    "button_primary_border_color": "var(--after)",
    "button_primary_text_color": "var(--on-accent)",
    "button_secondary_background_fill": "var(--card)",
    "button_secondary_background_fill_hover": "var(--tint)",
    "button_secondary_border_color": "var(--edge)",
    "button_secondary_text_color": "var(--ink)",
    "link_text_color": "var(--before)",
    "link_text_color_hover": "var(--after)",
    "layout_gap": "18px",
    "form_gap_width": "0px",
}


def theme() -> gr.themes.Base:
    """The theme of gradio's own components."""
    base = gr.themes.Base(
        primary_hue=colors.orange,
        neutral_hue=colors.stone,
        radius_size=sizes.radius_md,
        text_size=sizes.text_md,
        font=SANS,
        font_mono=MONO,
    )
    dark = {f"{name}_dark": value for name, value in GRADIO_VARIABLES.items() if hasattr(base, f"{name}_dark")}
    return base.set(**GRADIO_VARIABLES, **dark)
