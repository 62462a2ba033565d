"""THE VIRTUAL SCHOOL: a school's network out of namespaces, for the demo, the tests and the bench.

Pure Python and `ip`. `open_lab` builds it, `Lab.run` runs a program on one of its hosts, `Lab.truth` says what is really
there. Everything lives below one process that is PID 1 of its own namespaces: when it dies, the kernel removes the lot.
"""

from lab.link import Wobble
from lab.plan import BARE, CAMPUS, LabFailed, Plan, Step, Wan
from lab.running import Lab, open_lab
from lab.truth import Truth

__all__ = ["BARE", "CAMPUS", "Lab", "LabFailed", "Plan", "Step", "Truth", "Wan", "Wobble", "open_lab"]
