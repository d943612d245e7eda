"""Prompts in people's own words: the lexicon, the grammar, and what a prompt asks for."""
