"""Models: their specs, how they are learned and validated, and the artefacts that score.

`spec`, `timeline` and `split` need no numerical library; everything that learns or scores
imports its libraries when it is called.
"""

import os

# Two learners bring an OpenMP of their own, whose idle threads by default spin on the processor:
# on a busy machine that made training four times slower. It is read when they are first loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
