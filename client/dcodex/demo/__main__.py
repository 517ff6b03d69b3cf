"""`python -m dcodex.demo`: exit status 0 only if every verdict is the expected one."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.rule import Rule

import dcodex
from dcodex.client import Client
from dcodex.demo.cases import CASES, Case
from dcodex.demo.compare import compare
from dcodex.demo.leftovers import adopt_orphans, left_by, processes
from dcodex.demo.preflight import missing_compilers, missing_right
from dcodex.demo.show import LiveOutput, Outcome, make_console, make_table
from dcodex.replies import collect
from dcodex.testing import Farm, FarmFailed, quiet_flags

EXAMPLES = Path(dcodex.__file__).parents[1] / "examples"
WORKERS = 4


def main() -> int:
    """The whole demo."""
    parser = argparse.ArgumentParser(prog="python -m dcodex.demo", description=__doc__)
    parser.add_argument("--examples", type=Path, default=EXAMPLES, help="where the programs are")
    arguments = parser.parse_args()
    console = make_console()
    right = missing_right()
    if right:
        console.print(right)
        return 1
    compilers = missing_compilers()
    for line in compilers.values():
        console.print(line)
    cases = [case for case in CASES if case.language not in compilers]
    adopt_orphans()
    console.print("starting gateway, coordinator and workers")
    try:
        farm = Farm(*quiet_flags(WORKERS))
    except FarmFailed as error:
        console.print(f"the farm did not start:\n{error}", markup=False)
        return 1
    with farm:
        console.print(f"ready on {farm.target} ({farm.words})")
        with dcodex.connect(farm.target) as client:
            outcomes = [_run(console, client, case, arguments.examples) for case in cases]
            console.print()
            console.print(make_table(outcomes))
            console.print(str(compare(client, arguments.examples / "hello.py")))
        members = processes()
        status = farm.stop()
        left = left_by(members)
        if farm.runtime_dir.exists():
            left.append(f"directory {farm.runtime_dir}")
        if status != 0 or left:
            console.print(farm.log_tail(), markup=False)
    console.print(
        f"stopped with status {status}; left behind: {', '.join(left) or 'nothing'}", markup=False
    )
    wrong = [outcome for outcome in outcomes if not outcome.as_expected]
    for outcome in wrong:
        case = outcome.case
        console.print(f"{case.files[0]}: expected {case.verdict}, exit {case.exit_code}")
    return 1 if wrong or left or status or compilers else 0


def _run(console: Console, client: Client, case: Case, examples: Path) -> Outcome:
    """Run one program with live output."""
    console.print()
    console.print(Rule(f"{case.files[0]}: {case.about}", align="left"))
    # Below one directory: "multi_file/main.py" is main.py to the program.
    files = {Path(path).name: (examples / path).read_bytes() for path in case.files}
    started = time.monotonic()
    execution = client.execute(
        files=files,
        entry_point=Path(case.files[0]).name,
        language=case.language,
        args=case.args,
        stdin=case.stdin,
        stdin_complete=case.answer is None,
        limits=case.limits,
        cache=False,
    )
    screens = {
        dcodex.Stdout: LiveOutput(console),
        dcodex.Stderr: LiveOutput(console, "yellow"),
        dcodex.CompilerOutput: LiveOutput(console, "cyan"),
    }
    events: list[dcodex.Event] = []
    with execution:
        for event in execution:
            events.append(event)
            screen = screens.get(type(event))
            if screen is None or not isinstance(
                event, dcodex.Stdout | dcodex.Stderr | dcodex.CompilerOutput
            ):
                continue
            elapsed_s = time.monotonic() - started
            for line in screen.feed(event.data.decode(errors="replace"), elapsed_s):
                answer = case.answer(line) if case.answer else None
                if answer:
                    execution.send_stdin(answer)
                    console.print(f"             [bold]→ {answer.strip()}[/]")
    for screen in screens.values():
        screen.close(time.monotonic() - started)
    result = collect(events, "")
    if result is None:
        raise dcodex.ServiceFailed(f"{case.files[0]}: the stream ended without a verdict")
    console.print(f"  [bold]{result.verdict}[/] {result.message}")
    return Outcome(case, result)


if __name__ == "__main__":
    sys.exit(main())
