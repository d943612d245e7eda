"""`python -m latent_edit`."""

from latent_edit.cli import main

main()
