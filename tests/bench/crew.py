"""The caller processes: starts them, shares jobs out among them, puts answers together."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.bench.jobs import Answer, Job, dump_job, join, load_answer, share_out

ROOT = Path(__file__).parents[2]
#: As many as the machine that the targets are for has cores.
PROCESSES = 2


class JobFailed(Exception):
    """A run of a job did not end as it should; the message says how."""


class Crew:
    """Caller processes that live as long as the benchmark."""

    def __init__(self) -> None:
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.bench.caller"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                # Ctrl-C is for the benchmark, which then ends this.
                process_group=0,
            )
            for _ in range(PROCESSES)
        ]

    def run(self, job: Job) -> Answer:
        """Do a job; raises JobFailed where any run of it went wrong."""
        parts = share_out(job, len(self._processes))
        busy = list(zip(self._processes, parts, strict=False))
        for process, part in busy:
            assert process.stdin is not None
            process.stdin.write(dump_job(part) + "\n")
            process.stdin.flush()
        answers = []
        for process, _ in busy:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise JobFailed("a caller process has died")
            answers.append(load_answer(line))
        answer = join(answers)
        if answer.error:
            raise JobFailed(f"{job.workload}: {answer.error}")
        return answer

    def close(self) -> None:
        """End them."""
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.close()
        for process in self._processes:
            process.wait()
            assert process.stdout is not None
            process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
