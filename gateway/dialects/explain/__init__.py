"""How a reply was read, told to people: nothing in here decides anything, and nothing on the way of a request is here.

Invariants: a condition is tested as it is compiled for the reader, a place is read by the reader itself, and the
outcome is the reader's own; tests/property/test_explain.py holds what is told to what was done.
"""

from gateway.dialects.explain.evidence import Evidence, examined
from gateway.dialects.explain.naming import NamingStep
from gateway.dialects.explain.places import PlaceTrial
from gateway.dialects.explain.shown import escaped, printable, shown
from gateway.dialects.explain.trace import ReadError, RuleTrial, Trace, trace

__all__ = [
    "Evidence",
    "NamingStep",
    "PlaceTrial",
    "ReadError",
    "RuleTrial",
    "Trace",
    "escaped",
    "examined",
    "printable",
    "shown",
    "trace",
]
