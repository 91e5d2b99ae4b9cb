"""Which name server the world asks: each one's share of the questions, and how sure that is.

Resolvers ask in bursts, and one that is busy asks more than others: questions are no independent throws of a coin. So where there
are minutes enough, the uncertainty is taken from how the share varies from minute to minute (the ratio estimator of survey
sampling, Cochran, Sampling Techniques, section 6.3); with fewer it is Wilson's interval (1927), which is then too narrow rather
than too wide, and that is said.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SURE = 1.96  # standard errors: 95 of 100 such intervals hold the true share
_SPANS = 8  # with questions, from which their variation tells something


@dataclass(frozen=True, slots=True)
class Share:
    """One name server's part of the questions.

    Attributes:
        server: its name.
        questions: how many it was asked.
        share: from 0 to 1.
        least: the lower bound of the interval.
        most: its upper bound.
        spans: minutes, hours or days whose variation the interval is from; 0: from the number of questions alone.

    """

    server: str
    questions: int
    share: float
    least: float
    most: float
    spans: int


def shares(questions: Mapping[str, Mapping[int, int]]) -> list[Share]:
    """Return the share of each name server, in the order given; none where nobody asked.

    Args:
        questions: by server and by beginning of the span, all of the same length, in which all of them counted.

    """
    starts = sorted({start for series in questions.values() for start in series})
    totals = [sum(series.get(start, 0) for series in questions.values()) for start in starts]
    asked = sum(totals)
    if not asked:
        return []
    found = []
    for server, series in questions.items():
        own = [series.get(start, 0) for start in starts]
        share = sum(own) / asked
        spans = sum(1 for total in totals if total)
        if spans >= _SPANS:
            error = _SURE * _error(own, totals, share)
            bounds = max(share - error, 0.0), min(share + error, 1.0)
        else:
            spans, bounds = 0, wilson(sum(own), asked)
        found.append(Share(server, sum(own), share, *bounds, spans))
    return found


def _error(own: Sequence[int], totals: Sequence[int], share: float) -> float:
    spans = sum(1 for total in totals if total)
    apart = sum((one - share * total) ** 2 for one, total in zip(own, totals, strict=True))
    return math.sqrt(spans / (spans - 1) * apart) / sum(totals)


def wilson(hits: int, tries: int) -> tuple[float, float]:
    """Return the interval that holds a share with 95 % confidence, of independent tries.

    >>> [round(bound, 3) for bound in wilson(61, 100)]
    [0.512, 0.7]
    """
    square = _SURE**2
    middle = (hits + square / 2) / (tries + square)
    half = _SURE * math.sqrt(hits * (tries - hits) / tries + square / 4) / (tries + square)
    return max(middle - half, 0.0), min(middle + half, 1.0)
