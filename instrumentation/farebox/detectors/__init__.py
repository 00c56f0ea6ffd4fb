"""Tell how an answer failed: detectors over one request and its answer, run after the fact, in process.

from farebox.detectors import Answer, detector, switch

@detector
def apology(answer: Answer) -> bool:
    return "sorry" in answer.text.lower()

switch("disclaimer", on=False, route="medical")
"""

from farebox.detectors._answer import Answer, Call, Choice
from farebox.detectors._finding import Finding
from farebox.detectors._registry import Detector, detector, detectors, examine, switch
from farebox.detectors._table import detectors_table

__all__ = [
    "Answer",
    "Call",
    "Choice",
    "Detector",
    "Finding",
    "detector",
    "detectors",
    "detectors_table",
    "examine",
    "switch",
]
