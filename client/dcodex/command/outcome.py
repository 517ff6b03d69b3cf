"""What `dcodex run` makes of a program's end: exit status, a line of reason, JSON."""

from __future__ import annotations

import base64
import signal
from collections.abc import Sequence
from typing import Any

from dcodex.values import Finished, Result, Stamp, Verdict

EXIT_KILLED = 128 + signal.SIGKILL
EXIT_INTERRUPTED = 128 + signal.SIGINT
#: The service failed, not the program (as `env`, `timeout` and container tools have it).
EXIT_SERVICE = 125


def exit_status(finished: Finished) -> int:
    """What a shell should see."""
    match finished.verdict:
        case Verdict.OK | Verdict.NONZERO_EXIT | Verdict.SIGNALED:
            if finished.signal:
                return 128 + finished.signal
            return finished.exit_code & 0xFF
        case Verdict.PROCESS_LIMIT:
            # It ended by itself after it was refused a process: its own status says more.
            return finished.exit_code & 0xFF if finished.exit_code > 0 else EXIT_KILLED
        case (
            Verdict.CPU_LIMIT
            | Verdict.WALL_LIMIT
            | Verdict.MEMORY_LIMIT
            | Verdict.OUTPUT_LIMIT
            | Verdict.COMPILE_LIMIT
        ):
            return EXIT_KILLED
        case Verdict.COMPILE_ERROR:
            return 1
        case Verdict.CANCELLED:
            return EXIT_INTERRUPTED
        case _:
            return EXIT_SERVICE


def reason(finished: Finished) -> str:
    """A line for the person at the terminal; empty where the program spoke for itself."""
    if finished.verdict in (Verdict.OK, Verdict.NONZERO_EXIT):
        return ""
    if finished.verdict is Verdict.SIGNALED:
        return finished.message or f"killed by {signal_name(finished.signal)}"
    words = finished.verdict.name.lower().replace("_", " ")
    return f"{words}: {finished.message}" if finished.message else words


def statistics(finished: Finished) -> str:
    """A line of figures."""
    usage = finished.usage
    parts = [
        finished.verdict.name,
        f"exit {finished.exit_code}",
        f"cpu {usage.cpu_s * 1000:.1f} ms",
        f"wall {usage.wall_s * 1000:.1f} ms",
        f"memory {usage.peak_memory_bytes / 2**20:.1f} MiB",
        f"queued {usage.queue_wait_s * 1000:.1f} ms",
    ]
    if usage.compile_s:
        cached = " (cached)" if finished.compile_cache_hit else ""
        parts.append(f"compile {usage.compile_s * 1000:.1f} ms{cached}")
    if finished.cache_hit:
        parts.append("result from the cache")
    elif finished.warm:
        parts.append("warm")
    return ", ".join(parts)


def draw_trace(stamps: Sequence[Stamp]) -> bytes:
    """A line for each stamp: where, milliseconds since the first one and since the last one.

    Stamps of one machine's clock; where the service is on another they start at its first.
    """
    if len(stamps) > 2 and not stamps[0].at_s <= stamps[1].at_s <= stamps[-1].at_s:
        stamps = stamps[1:-1]
    width = max((len(stamp.where) for stamp in stamps), default=0)
    lines = []
    for previous, stamp in zip((stamps[0], *stamps), stamps, strict=False):
        since_first = (stamp.at_s - stamps[0].at_s) * 1000
        since_last = (stamp.at_s - previous.at_s) * 1000
        lines.append(f"{stamp.where:<{width}}  {since_first:9.3f} ms  +{since_last:.3f}\n")
    return "".join(lines).encode()


def as_json(result: Result) -> dict[str, Any]:
    """Everything about a run; bytes that are not UTF-8 come as NAME_base64 as well."""
    usage = result.usage
    table: dict[str, Any] = {
        "execution_id": result.execution_id,
        "verdict": result.verdict.name,
        "exit_code": result.exit_code,
        "signal": result.signal,
        "message": result.message,
    }
    for name in ("stdout", "stderr", "compiler_output"):
        data: bytes = getattr(result, name)
        table[name] = data.decode(errors="replace")
        if table[name].encode() != data:
            table[f"{name}_base64"] = base64.b64encode(data).decode()
    table["usage"] = {
        "cpu_user_s": usage.cpu_user_s,
        "cpu_system_s": usage.cpu_system_s,
        "wall_s": usage.wall_s,
        "peak_memory_bytes": usage.peak_memory_bytes,
        "queue_wait_s": usage.queue_wait_s,
        "compile_s": usage.compile_s,
    }
    for name in ("output_truncated", "cache_hit", "compile_cache_hit", "worker_id", "warm"):
        table[name] = getattr(result, name)
    return table


def signal_name(number: int) -> str:
    """SIGSEGV for 11."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
