"""How a failure is said to a client of the classic API (pure).

Its clients look for these words in a stderr chunk that begins with "ERROR: ".
"""

from __future__ import annotations

from dcodex_shared.messages import Finished, Verdict

SIGKILL = 9


def failure(finished: Finished) -> str:
    """The error chunk of an execution that was no success; empty for one that was."""
    killed = f"Process killed by signal: {finished.signal or SIGKILL}"
    match finished.verdict:
        case Verdict.OK:
            return ""
        case Verdict.NONZERO_EXIT:
            said = f"Process exited with non-zero status: {finished.exit_code}"
        case Verdict.SIGNALED:
            said = killed
        case Verdict.CPU_LIMIT:
            said = f"CPU time limit exceeded. {killed}"
        case Verdict.WALL_LIMIT:
            said = "Wall-clock timeout exceeded"
        case Verdict.MEMORY_LIMIT:
            said = f"Memory limit exceeded. {killed}"
        case Verdict.OUTPUT_LIMIT:
            said = "Output truncated"
        case Verdict.PROCESS_LIMIT if finished.signal:
            said = f"Process limit exceeded. {killed}"
        case Verdict.PROCESS_LIMIT:
            said = (
                f"Process limit exceeded. Process exited with non-zero status: {finished.exit_code}"
            )
        case Verdict.COMPILE_ERROR:
            said = "Compilation failed"
        case Verdict.COMPILE_LIMIT:
            said = f"Compilation failed: {finished.message or 'the compiler ran into a limit'}"
        case Verdict.CANCELLED:
            said = "Execution cancelled"
        case _:
            said = f"Internal error: {finished.message or 'the sandbox was lost'}"
    return f"ERROR: {said}\n"
