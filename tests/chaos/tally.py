"""What came of all requests and faults, and what must not have been (pure)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

#: Lines kept of each kind of failure: the first ones tell.
MOST_SHOWN = 20
#: Errors that tell a caller what to do; any other is none that a caller can act on.
CLEAR = frozenset(
    ("UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED", "ABORTED", "SYSTEM_ERROR")
)


@dataclass(slots=True)
class Tally:
    """One run's figures."""

    requests: int = 0
    ok: int = 0
    #: By kind of job.
    kinds: Counter[str] = field(default_factory=Counter)
    #: Clear errors by code.
    errors: Counter[str] = field(default_factory=Counter)
    #: Clear errors by code and what they said, without numbers that differ each time.
    words: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    leaked: list[str] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)
    #: Of right answers, in seconds.
    latencies_s: list[float] = field(default_factory=list)

    def answered(self, kind: str, latency_s: float) -> None:
        """A right answer."""
        self.requests += 1
        self.ok += 1
        self.kinds[kind] += 1
        self.latencies_s.append(latency_s)

    def failed(self, kind: str, code: str, words: str) -> None:
        """An error instead of an answer."""
        self.requests += 1
        if code in CLEAR:
            self.errors[code] += 1
            self.words[f"{code} {words}"] += 1
        else:
            self.wrong.append(f"{kind}: {code} {words}")

    def mistaken(self, kind: str, what: str) -> None:
        """A wrong answer."""
        self.requests += 1
        self.wrong.append(f"{kind}: {what}")

    def unanswered(self, kind: str, what: str) -> None:
        """Neither an answer nor an error within all patience."""
        self.requests += 1
        self.lost.append(f"{kind}: {what}")

    @property
    def passed(self) -> bool:
        """Whether nothing was that must not be, and something was at all."""
        return self.ok > 0 and not (self.wrong or self.lost or self.leaked or self.crashes)

    def progress(self, elapsed_s: float) -> str:
        """One line while it runs."""
        return (
            f"{elapsed_s:5.0f} s  requests={self.requests} ok={self.ok} "
            f"errors={self.errors.total()} faults={self.faults.total()} "
            f"wrong={len(self.wrong)} lost={len(self.lost)}"
        )

    def report(self) -> str:
        """The end's figures, a line each, and the first of what went wrong."""
        lines = [
            f"requests       {self.requests}",
            f"answers OK     {self.ok} ({_listed(self.kinds)})",
            f"clear errors   {self.errors.total()} ({_listed(self.errors)})",
            *(f"    {count:6}  {words}" for words, count in self.words.most_common(MOST_SHOWN)),
            f"faults         {self.faults.total()} ({_listed(self.faults)})",
            f"latency        p50 {quantile(self.latencies_s, 0.5) * 1000:.1f} ms, "
            f"p99 {quantile(self.latencies_s, 0.99) * 1000:.1f} ms (of answers OK)",
        ]
        for name, bad in (
            ("wrong answers", self.wrong),
            ("lost", self.lost),
            ("leaked", self.leaked),
            ("crashes", self.crashes),
        ):
            lines.append(f"{name:<15}{len(bad)}")
            lines += [f"    {line}" for line in bad[:MOST_SHOWN]]
        return "\n".join(lines)


def quantile(values: list[float], share: float) -> float:
    """The value below which this share of all lies; 0 of none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"
