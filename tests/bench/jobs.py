"""What a caller process is asked and answers: one line of JSON each way."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Run a workload on one side for a while."""

    workload: str
    #: HOST:PORT of the farm; empty: started by hand.
    target: str = ""
    #: The programs' virtual environment, for what is started by hand.
    venv: str = ""
    #: Words before a command started by hand: a sandbox to compare with.
    peer: tuple[str, ...] = ()
    #: A directory of the caller's own, for what is started by hand.
    directory: str = ""
    #: Runs under way at one time.
    callers: int = 1
    #: No run begins later than this, in seconds; each caller has one at least.
    seconds: float = 0.0
    #: Nor after this many in all.
    runs: int = 1_000_000_000
    #: Runs a second that begin whether or not earlier ones have ended; 0: each after another.
    rate: float = 0.0
    #: Where the numbers in the texts begin; those of one benchmark never meet.
    number: int = 0
    #: Which part of a shared job it is.
    part: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a job."""

    latencies_s: tuple[float, ...]
    #: From the first start to the last end.
    wall_s: float
    #: CPU seconds of the caller process alone, without the programs.
    own_cpu_s: float
    #: What went wrong; empty: nothing.
    error: str = ""

    @property
    def rate(self) -> float:
        """Runs a second."""
        return len(self.latencies_s) / self.wall_s if self.wall_s else 0.0


def dump_job(job: Job) -> str:
    """One line."""
    return json.dumps(asdict(job))


def load_job(line: str) -> Job:
    """The job in a line."""
    fields = json.loads(line)
    return Job(**{**fields, "peer": tuple(fields["peer"])})


def dump_answer(answer: Answer) -> str:
    """One line."""
    return json.dumps(asdict(answer))


def load_answer(line: str) -> Answer:
    """The answer in a line."""
    fields = json.loads(line)
    return Answer(**{**fields, "latencies_s": tuple(fields["latencies_s"])})


def share_out(job: Job, processes: int) -> list[Job]:
    """The job in parts for several processes, as even as can be; none without a caller."""
    parts = min(processes, job.callers)
    return [
        Job(
            **{
                **asdict(job),
                "peer": job.peer,
                "callers": job.callers // parts + (part < job.callers % parts),
                "runs": -(-job.runs // parts),
                "rate": job.rate / parts,
                "part": part,
                "number": job.number + part * (1 << 20),
                "directory": f"{job.directory}/{part}",
            }
        )
        for part in range(parts)
    ]


def join(answers: list[Answer]) -> Answer:
    """What the parts of one job came to together."""
    return Answer(
        tuple(latency for answer in answers for latency in answer.latencies_s),
        max(answer.wall_s for answer in answers),
        sum(answer.own_cpu_s for answer in answers),
        "; ".join(dict.fromkeys(answer.error for answer in answers if answer.error)),
    )
