"""THE VIRTUAL SCHOOL: a school's network out of namespaces, for the demo, the tests and the bench.

Pure Python and `ip`. `open_lab` builds it, `Lab.run` runs a program on one of its hosts, `Lab.truth` says what is really
there. Everything lives below one process that is PID 1 of its own namespaces: when it dies, the kernel removes the lot.
"""

from lab.link import Wobble
from lab.plan import BARE, LabFailed, Plan, Step, Truth, Wan
from lab.running import Lab, open_lab

__all__ = ["BARE", "Lab", "LabFailed", "Plan", "Step", "Truth", "Wan", "Wobble", "open_lab"]
