"""latent_edit changes how a sentence is spoken by editing the latent space of a frozen, pretrained VITS."""

__version__ = "0.1.0"
