"""The suites `human-pair` and `acted-pairs`: bridges between two takes of a sentence."""
