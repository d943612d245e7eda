"""The page. The only room that imports gradio; models are reached through `latent_edit.pipeline`, and only when used."""
