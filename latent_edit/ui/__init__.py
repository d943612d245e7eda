"""The page: the only room that imports gradio. Models are loaded through `latent_edit.editor`, when first used."""
