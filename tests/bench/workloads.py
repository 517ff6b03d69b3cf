"""The workloads: what runs, how it is started by hand, and what the ratio must be. Data only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tests.bench.measure import Target

#: Stands for a number that no other run has, where a cache would lie.
NUMBER = "@NUMBER@"
MIB = 1024 * 1024


class Bare(Enum):
    """How the same program is started by hand."""

    #: PYTHON -I main.py
    PYTHON = "python"
    #: The same with the interpreter of the programs' virtual environment.
    VENV = "venv"
    #: gcc -o a.out main.c && ./a.out
    C = "c"
    #: g++ -o a.out main.cpp && ./a.out
    CPP = "cpp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One row of the table."""

    key: str
    title: str
    source: str
    #: stdout, with the number in it.
    expect: str
    bare: Bare
    latency: Target
    throughput: Target | None = None
    compile_args: tuple[str, ...] = ()
    #: False: the text is the same in every run.
    unique: bool = True
    #: Whether the result cache may answer.
    result_cache: bool = False
    #: The bare program's output goes to a file instead of a pipe.
    to_file: bool = False
    output_bytes: int | None = None
    #: Bare runs take about this long, in seconds; sets how many fit into a block.
    about_s: float
    #: Concurrency at which runs a second are measured.
    callers: tuple[int, ...] = (1, 8, 32)

    @property
    def language(self) -> str:
        """As the service calls it."""
        return "python" if self.bare in (Bare.PYTHON, Bare.VENV) else self.bare.value


_HELLO_C = f"""#include <stdio.h>
int main(void) {{
    printf("hello %d\\n", {NUMBER});
    return 0;
}}
"""
_HELLO_CPP = f"""#include <iostream>
int main() {{
    std::cout << "hello " << {NUMBER} << "\\n";
}}
"""
_BITS = f"""#include <bits/stdc++.h>
using namespace std;
int main() {{
    map<string, vector<int>> groups;
    for (int i = 0; i < 100; i++) groups[to_string(i % 7)].push_back(i * i % 31);
    long long sum = {NUMBER};
    for (auto& [name, values] : groups) {{
        sort(values.begin(), values.end());
        sum += accumulate(values.begin(), values.end(), 0LL);
    }}
    cout << "sum " << sum - {NUMBER} << " of " << {NUMBER} << "\\n";
}}
"""
_NUMPY = f"""import numpy as np
print("sum", np.arange(1000).sum() + {NUMBER} - {NUMBER}, {NUMBER})
"""
_PANDAS = f"""import pandas as pd
frame = pd.DataFrame({{"key": list("abcd") * 25, "value": range(100)}})
print(frame.groupby("key")["value"].sum().tolist(), {NUMBER})
"""
_BIG = f"""print({NUMBER})
line = "x" * 1023
for _ in range(1024):
    print(line)
"""

WORKLOADS = (
    Workload(
        key="W1",
        title="Python hello",
        source=f'print("hello", {NUMBER})\n',
        expect=f"hello {NUMBER}\n",
        bare=Bare.PYTHON,
        latency=Target(0.35, 0.15),
        throughput=Target(1.5, 3, higher=True),
        about_s=0.012,
    ),
    Workload(
        key="W2",
        title="numpy import and sum",
        source=_NUMPY,
        expect=f"sum 499500 {NUMBER}\n",
        bare=Bare.VENV,
        latency=Target(0.08, 0.03),
        about_s=0.1,
    ),
    Workload(
        key="W3",
        title="pandas import and group-by",
        source=_PANDAS,
        expect=f"[1200, 1225, 1250, 1275] {NUMBER}\n",
        bare=Bare.VENV,
        latency=Target(0.03, 0.01),
        about_s=0.5,
    ),
    Workload(
        key="W4",
        title="C hello, compile and run",
        source=_HELLO_C,
        expect=f"hello {NUMBER}\n",
        bare=Bare.C,
        latency=Target(0.8, 0.3),
        about_s=0.05,
    ),
    Workload(
        key="W5",
        title="C++ iostream hello, compile and run",
        source=_HELLO_CPP,
        expect=f"hello {NUMBER}\n",
        bare=Bare.CPP,
        latency=Target(0.4, 0.15),
        about_s=0.3,
    ),
    Workload(
        key="W6",
        title="bits/stdc++.h -O2, compile and run",
        source=_BITS,
        expect=f"sum 1176 of {NUMBER}\n",
        bare=Bare.CPP,
        latency=Target(0.45, 0.3),
        compile_args=("-O2",),
        about_s=1.5,
        callers=(1, 8),
    ),
    Workload(
        key="W7",
        title="W5 with the compile cache warm",
        source=_HELLO_CPP,
        expect=f"hello {NUMBER}\n",
        bare=Bare.CPP,
        latency=Target(0.04, 0.015),
        unique=False,
        about_s=0.3,
    ),
    Workload(
        key="W8",
        title="result-cache hit, to W1 bare",
        source=f'print("hello", {NUMBER})\n',
        expect=f"hello {NUMBER}\n",
        bare=Bare.PYTHON,
        latency=Target(0.15, 0.08),
        unique=False,
        result_cache=True,
        about_s=0.012,
    ),
    Workload(
        key="W9",
        title="1 MB of output, to >file",
        source=_BIG,
        expect=f"{NUMBER}\n" + ("x" * 1023 + "\n") * 1024,
        bare=Bare.PYTHON,
        latency=Target(1.0, 0.6),
        to_file=True,
        output_bytes=2 * MIB,
        about_s=0.014,
    ),
)
BY_KEY = {workload.key: workload for workload in WORKLOADS}

#: The rows that are not a program against the same program by hand.
SUSTAINED = "W9s"
PING_PONG = "W10"
MEMORY = "memory"
HALF_LOAD = "half-load"
TARGETS = {
    SUSTAINED: Target(0.5, 0.8, higher=True),
    PING_PONG: Target(3.0, 1.5),
    MEMORY: Target(20.0, 8.0),
    HALF_LOAD: Target(4.0, 2.0),
}
#: Rows with tables of their own.
COST = "cost"
COORDINATOR = "coordinator"
ALL_KEYS = (*BY_KEY, *TARGETS, COST, COORDINATOR)
TITLES = {
    SUSTAINED: "W9 sustained 256 MB, MB/s to grpc.aio",
    PING_PONG: "W10 ping-pong, to grpc.aio echo",
    MEMORY: "memory of one more worker, MB",
    HALF_LOAD: "W1 at half load, p99 / p50",
    COST: "CPU of a run as workers and waiting requests grow",
    COORDINATOR: "leases a second of the coordinator alone",
}
#: CPU a run may differ by this share as workers or waiting requests grow.
FLAT_WITHIN = 0.2


def text(template: str, number: int) -> str:
    """A workload's source or expected output with its number."""
    return template.replace(NUMBER, str(number))
