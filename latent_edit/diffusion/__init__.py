"""Diffusion mathematics. No networks: every function takes `denoise` as a callable."""
