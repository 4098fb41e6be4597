"""Models: their specs, how they are learned and validated, and the artefacts that score.

`spec`, `timeline` and `split` need no numerical library; everything that learns or scores
imports its libraries when it is called.
"""
