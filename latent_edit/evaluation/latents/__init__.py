"""The suite `latents`: what is inside the latents of the voice, and what the CLAP hears."""
