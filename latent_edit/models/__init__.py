"""Networks. They know nothing of diffusion mathematics."""
