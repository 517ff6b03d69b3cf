"""What measured times amount to: percentiles, ratios, rates, flatness, and marks. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Spread:
    """How measured values lie, in their own unit; outliers are in it."""

    count: int
    p50: float
    p90: float
    p99: float


class Mark(Enum):
    """How a figure does against what it must and aims to be."""

    AIM = "aim"
    MUST = "must"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure must be, and what it aims to be."""

    must: float
    aim: float
    #: Throughput is better when higher, everything else when lower.
    higher: bool = False


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share (0..1) of them lies, interpolated; NaN for none."""
    if not values:
        return math.nan
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def spread(values: Sequence[float]) -> Spread:
    """p50, p90 and p99 of the values."""
    return Spread(len(values), *(percentile(values, share) for share in (0.5, 0.9, 0.99)))


def median_ratio(ours: Sequence[Sequence[float]], bare: Sequence[Sequence[float]]) -> float:
    """The median over blocks of the ratio of the blocks' medians.

    Blocks of one index ran one after the other, so what disturbs the machine for longer than a
    block disturbs both sides of a ratio.
    """
    pairs = [
        statistics.median(mine) / statistics.median(its)
        for mine, its in zip(ours, bare, strict=True)
        if mine and its
    ]
    return statistics.median(pairs) if pairs else math.nan


def cpu_ms_per_run(busy_s: float, idle_share_s: float, wall_s: float, runs: int) -> float:
    """CPU milliseconds of one run, less what the machine did anyway.

    busy_s: CPU seconds of the whole machine in wall_s; idle_share_s: CPU seconds a second that
    it took without any run.
    """
    if runs <= 0:
        return math.nan
    return max(0.0, busy_s - idle_share_s * wall_s) / runs * 1000


def unevenness(values: Sequence[float]) -> float:
    """How far the largest lies above the smallest, as a share of the smallest; 0 is flat."""
    known = [value for value in values if not math.isnan(value)]
    if len(known) < 2 or min(known) <= 0:
        return math.nan
    return max(known) / min(known) - 1


def judge(value: float, target: Target) -> Mark:
    """Whether a figure reaches its aim, or at least what it must; NaN misses."""
    sign = -1 if target.higher else 1
    if sign * value <= sign * target.aim:
        return Mark.AIM
    if sign * value <= sign * target.must:
        return Mark.MUST
    return Mark.MISSED
