"""One worker's sandboxes without a farm: run a program and see all that the worker would."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from dcodex_shared.config import WorkerSettings
from dcodex_shared.languages import BY_NAME
from dcodex_shared.limits import DEFAULT_LIMITS, MIB, Limits
from dcodex_shared.messages import Verdict
from dcodex_shared.program import Program, SourceFile
from dcodex_worker.runtimes import Slots, Stage, Templates, Workshop
from dcodex_worker.sandbox.trial import run_to_end
from dcodex_worker.verdict import Ending, judge

#: An emulated processor is slow: what is not under test has room.
LIMITS = replace(DEFAULT_LIMITS, cpu_s=120.0, wall_s=240.0, memory_bytes=256 * MIB)


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of one program."""

    verdict: Verdict
    status: int | None
    stdout: bytes
    stderr: bytes
    cpu_s: float
    peak_bytes: int
    #: Processes in the fullest leaf when the sandbox was destroyed, the keeper included.
    left: int


class Shop:
    """Slots, templates and a workshop for these languages."""

    def __init__(self, *languages: str, cgroup_root: str = "") -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="dcodex-guest-")
        settings = WorkerSettings(
            runtime_dir=self._directory.name,
            compile_cache_dir=f"{self._directory.name}/cache",
            compile_cache_bytes=0,
            compile_cpu_limit=LIMITS.cpu_s,
            compile_wall_limit=LIMITS.wall_s,
            languages=languages,
            cgroup_root=cgroup_root,
            preload=(),
            slots=1,
        )
        self._slots = Slots(settings)
        self._templates = Templates(settings)
        self._templates.start()
        self._workshop = Workshop(settings, self._slots.take())
        #: The directory of this host's groups.
        self.group = dict(self._slots.tree.directories)["unified"]

    def run(self, source: str, limits: Limits = LIMITS, language: str = "python") -> Seen:
        """Arm, run to the end, look, destroy."""
        name = BY_NAME[language].default_file
        file = SourceFile(name, 0o644, source.encode())
        program = Program(language, (file,), name, (), (), (), b"", True, limits)
        armed = self._workshop.arm(language)
        try:
            stage = armed.begin(program)
            if stage.compiling:
                compiled = self._end(stage)
                if compiled.status != 0:
                    return compiled
                stage = armed.after_compile()
            seen = self._end(stage)
        finally:
            armed.destroy()
        return replace(seen, left=self._left())

    def _left(self) -> int:
        """Processes in the fullest leaf; a zombie, which is nothing but its status, is not shown.

        A worker keeps the keepers of the languages that it was armed for, each in its own leaf.
        """
        files = Path(self.group).glob("*/cgroup.procs")
        return max(len(file.read_text().split()) for file in files)

    def close(self) -> None:
        """End and remove all of it."""
        self._workshop.close()
        self._templates.close()
        self._slots.close()
        self._directory.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _end(self, stage: Stage) -> Seen:
        end = run_to_end(stage)
        sandbox = stage.sandbox
        cpu_s = sum(sandbox.cpu_s())
        ending = Ending(
            status=end.status,
            cause=None,
            reason="",
            cpu_s=cpu_s,
            oom_killed=sandbox.oom_killed(),
            processes_refused=sandbox.processes_refused(),
            output_truncated=False,
            compiling=stage.compiling,
            limits=stage.launch.limits,
        )
        outcome = judge(ending)
        verdict = Verdict.OK if outcome is None else outcome.verdict
        peak = sandbox.peak_memory_bytes()
        return Seen(verdict, end.status, end.stdout, end.stderr, cpu_s, peak, -1)
