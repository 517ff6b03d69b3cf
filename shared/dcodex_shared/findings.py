"""What a check of a machine or a farm came to, and how a person or a program is told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check came to."""

    #: What was looked at, by the name that settings and docs use.
    name: str
    ok: bool
    #: Without it nothing works: a worker refuses to start, callers are not served.
    required: bool
    #: What was found.
    text: str
    #: What to do about it; unused when ok.
    remedy: str = ""


def is_fit(findings: Sequence[Finding]) -> bool:
    """Whether everything that is required is there."""
    return all(finding.ok for finding in findings if finding.required)


def as_json(findings: Sequence[Finding]) -> str:
    """All of them as one object."""
    told = [asdict(finding) for finding in findings]
    return json.dumps({"fit": is_fit(findings), "findings": told}, indent=2)


def as_text(findings: Sequence[Finding], conclusions: tuple[str, str]) -> str:
    """A line each, what to do about it below; then the conclusion: when fit, when not."""
    lines = []
    for finding in findings:
        mark = "ok  " if finding.ok else ("MISS" if finding.required else "note")
        lines.append(f"{mark}  {finding.name:<16} {finding.text}")
        if not finding.ok:
            lines.append(f"      {'':<16} -> {finding.remedy}")
    lines.append(conclusions[0] if is_fit(findings) else conclusions[1])
    return "\n".join(lines)
