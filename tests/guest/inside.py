"""Runs in the guest: every promise of the control groups, against the kernel's version 2.

Parts, each by its name on the command line, all without one. A part that needs a process in a
group of its own starts `part NAME` there, and counts its lines as its own.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.guest import groups, programs
from tests.guest.report import Report, expect
from tests.guest.shop import LIMITS, Shop

import dcodex
from dcodex.testing import Farm
from dcodex_shared.limits import MIB, MINIMUM_LIMITS
from dcodex_shared.messages import Verdict
from dcodex_worker import leftovers
from dcodex_worker.sandbox import cgroup

#: Slower than by hand, and the machine below may be busy.
READY_TIMEOUT_S = 200.0
#: The first kernel whose memory.peak can be reset.
PEAK_RESETS_SINCE = (6, 12)


def main(arguments: list[str]) -> int:
    """Exit status 0 when all checks passed."""
    report = Report()
    names = arguments or sorted(CLEAN, key=list(PARTS).index)
    if not arguments:
        memory = Path("/sys/fs/cgroup/cgroup.controllers").read_text().split()
        print(f"Linux {platform.release()}, controllers {' '.join(memory)}", flush=True)
    for name in names:
        before = groups.tree()
        if name not in CLEAN:
            PARTS[name](report)
            continue
        with report.check(f"{name}: comes to its end, and no group is left"):
            PARTS[name](report)
            expect(groups.tree() == before, groups.tree() ^ before)
    print(f"passed {report.passed}, failed {report.failed}", flush=True)
    return 1 if report.failed else 0


def _doctor(report: Report) -> None:
    with report.check("doctor: finds version 2, and a program runs"):
        findings = _ask_doctor()
        expect(findings["cgroup"]["text"] == "version 2", findings["cgroup"])
        unfit = [
            finding for finding in findings.values() if finding["required"] and not finding["ok"]
        ]
        expect(not unfit, unfit)
        expect("trial" in findings, findings)


def _leaf(report: Report) -> None:
    with Shop("python", "c") as shop:
        _check_hello(report, shop)
        _check_memory(report, shop)
        _check_processes(report, shop)
        _check_cpu(report, shop)
        _check_peaks(report, shop)
        with report.check("leaf: the host's group holds no process itself"):
            expect(not groups.processes(shop.group), groups.processes(shop.group))


def _check_hello(report: Report, shop: Shop) -> None:
    for language, source in (("python", programs.HELLO), ("c", programs.HELLO_C)):
        with report.check(f"leaf: a hello in {language} runs"):
            seen = shop.run(source, language=language)
            expect((seen.verdict, seen.stdout) == (Verdict.OK, b"hello\n"), seen)
    with report.check("leaf: a program sees no control group"):
        seen = shop.run(programs.LOOKS)
        expect(seen.stdout == b"False False\n", seen)


def _check_memory(report: Report, shop: Shop) -> None:
    small = replace(LIMITS, memory_bytes=64 * MIB)
    for what, source in (
        ("one process", programs.HOG),
        ("eight processes of which none takes much", programs.HOG_IN_EIGHT),
        ("files on tmpfs", programs.HOG_ON_DISK),
    ):
        with report.check(f"leaf: the memory limit holds for {what}"):
            seen = shop.run(source, small)
            expect(seen.verdict is Verdict.MEMORY_LIMIT, seen)
            expect(seen.peak_bytes <= small.memory_bytes, seen)
    with report.check("leaf: a plain SIGKILL is told apart from it"):
        seen = shop.run(programs.KILLS_ITSELF, small)
        expect((seen.verdict, seen.status) == (Verdict.SIGNALED, signal.SIGKILL), seen)
    with report.check("leaf: below the limit a program is left alone"):
        seen = shop.run(programs.takes(40), small)
        expect(seen.verdict is Verdict.OK, seen)
        expect(40 * MIB <= seen.peak_bytes <= 64 * MIB, seen)
    with report.check("leaf: the least memory ends in a verdict, and the next program runs"):
        seen = shop.run(programs.HELLO, MINIMUM_LIMITS)
        seen = shop.run(programs.HELLO, replace(LIMITS, memory_bytes=MINIMUM_LIMITS.memory_bytes))
        expect(seen.verdict in (Verdict.OK, Verdict.MEMORY_LIMIT), seen)
        seen = shop.run(programs.HELLO)
        expect((seen.verdict, seen.stdout) == (Verdict.OK, b"hello\n"), seen)


def _check_processes(report: Report, shop: Shop) -> None:
    with report.check("leaf: exactly the allowed processes start, and the refusal is counted"):
        seen = shop.run(programs.COUNTS_FORKS, replace(LIMITS, processes=8))
        expect((seen.verdict, seen.stdout) == (Verdict.PROCESS_LIMIT, b"7\n"), seen)
    with report.check("leaf: an earlier program's refusals are not the next one's"):
        seen = shop.run("raise SystemExit(3)", replace(LIMITS, processes=8))
        expect(seen.verdict is Verdict.NONZERO_EXIT, seen)
    with report.check("leaf: daemons of every kind are gone when it is recycled"):
        seen = shop.run(programs.LEAVES_DAEMONS, replace(LIMITS, wall_s=10.0))
        expect((seen.stdout, seen.left) == (b"left\n", 1), seen)
    with report.check("leaf: a fork bomb is gone too, and the next program runs"):
        seen = shop.run(programs.FORK_BOMB, replace(LIMITS, wall_s=5.0, processes=64))
        expect(seen.left == 1, seen)
        seen = shop.run(programs.HELLO)
        expect((seen.verdict, seen.stdout, seen.left) == (Verdict.OK, b"hello\n", 1), seen)


def _check_cpu(report: Report, shop: Shop) -> None:
    with report.check("leaf: CPU time counts children that nobody waited for"):
        idle = shop.run(programs.HELLO).cpu_s
        seen = shop.run(programs.BURNS.replace("SECONDS", "2.0"))
        expect(seen.stdout == b"burnt\n", seen)
        expect(4.0 <= seen.cpu_s <= 4.0 + 2 * idle + 1.0, seen, idle)


def _check_peaks(report: Report, shop: Shop) -> None:
    with report.check("leaf: peak memory is a run's own, whatever ran before"):
        small, big, again = (shop.run(programs.takes(size)) for size in (20, 150, 20))
        expect(20 * MIB <= small.peak_bytes < 60 * MIB, small)
        expect(150 * MIB <= big.peak_bytes < 190 * MIB, big)
        expect(20 * MIB <= again.peak_bytes < 60 * MIB, again)


def _reuse(report: Report) -> None:
    """One leaf for processes that come and go, below the worker, which may choose a new leaf."""
    tree = cgroup.create_tree("reused")
    leaf = cgroup.Leaf(tree, "leaf")
    release = tuple(int(number) for number in platform.release().split(".")[:2])
    # A process that was forked counts, until it executes, what is its parent's.
    ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    least = 0 if release >= PEAK_RESETS_SINCE else ours
    try:
        with report.check("reuse: each run's peak is its own, in one and the same leaf"):
            seen = [_peak(leaf, size) for size in (20, 150, 20, 170, 20)]
            print("      peaks MiB " + " ".join(f"{peak / MIB:.1f}" for peak in seen), flush=True)
            for peak, size in zip(seen, (20, 150, 20, 170, 20), strict=True):
                expect(size * MIB <= peak < max(size * MIB, least) + 40 * MIB, size, peak, seen)
        with report.check("reuse: files that stay count where a run's peak is not known otherwise"):
            source = "open('/dev/shm/kept', 'wb').write(b'x' * (60 << 20))"
            peak = _peak(leaf, 0, source)
            os.unlink("/dev/shm/kept")
            expect(60 * MIB <= peak < 180 * MIB, peak)
        with report.check("reuse: a kill of its own is not counted as want of memory"):
            leaf.start_counting()
            _peak(leaf, 0, programs.KILLS_ITSELF)
            expect((leaf.oom_kills(), leaf.refused_forks()) == (0, 0), leaf.oom_kills())
    finally:
        leaf.remove()
        cgroup.remove_tree(tree)


def _peak(leaf: cgroup.Leaf, mebibytes: int, source: str = "") -> int:
    """What a run is reported to have taken."""
    joins = leaf.open_procs()
    leaf.start_counting()
    pid = os.fork()
    if pid == 0:
        os.dup2(2, 1)
        for fd in joins:
            os.write(fd, b"0")
        os.execv(sys.executable, [sys.executable, "-c", source or programs.takes(mebibytes)])
    _, _, usage = os.wait4(pid, 0)
    for fd in joins:
        os.close(fd)
    return leaf.peak_memory_bytes(usage.ru_maxrss * 1024)


def _delegated(report: Report) -> None:
    """The host is one of several processes in a group that was delegated to it."""
    groups.delegate("farm/self")
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE) as other:
        (groups.ROOT / "farm/self/cgroup.procs").write_text(str(other.pid))
        done = groups.run_in("farm/self", *groups.python("tests.guest.inside", "in-delegated"))
        _adopt(report, "delegated", done)
        with report.check("delegated: the others in its group moved aside with it"):
            expect(groups.processes("farm/self/supervisor") == {other.pid}, groups.tree())
        done = groups.run_in(
            "farm/self/supervisor", *groups.python("tests.guest.inside", "in-delegated")
        )
        _adopt(report, "delegated, again", done)
        with report.check("delegated: it moves aside once, never deeper"):
            below = groups.tree(groups.ROOT / "farm")
            expect(below == {"farm", "farm/self", "farm/self/supervisor"}, below)
        other.kill()
    for name in ("farm/self/supervisor", "farm/self", "farm"):
        if (groups.ROOT / name).exists():
            (groups.ROOT / name).rmdir()


def _container(report: Report) -> None:
    """As a container starts it: its group is the root of a cgroup namespace of its own."""
    groups.delegate("pod/container")
    command = groups.in_container(*groups.python("tests.guest.inside", "in-delegated"))
    _adopt(report, "container", groups.run_in("pod/container", *command))
    with report.check("container: it moved aside below its own root"):
        below = groups.tree(groups.ROOT / "pod")
        expect(below == {"pod", "pod/container", "pod/container/supervisor"}, below)
    for name in ("pod/container/supervisor", "pod/container", "pod"):
        (groups.ROOT / name).rmdir()


def _in_delegated(report: Report) -> None:
    base = groups.own().removesuffix("supervisor").strip("/")
    with report.check("the doctor's program runs"):
        findings = _ask_doctor()
        expect(all(f["ok"] for f in findings.values() if f["required"]), findings)
    with Shop("python") as shop:
        with report.check("a program runs in a group beside its supervisor"):
            seen = shop.run(programs.HELLO)
            expect((seen.verdict, seen.stdout) == (Verdict.OK, b"hello\n"), seen)
            expect(Path(shop.group) == groups.ROOT / base / f"dcodex-{os.getpid()}", shop.group)
            expect(groups.own() == f"{base}/supervisor".strip("/"), groups.own())
        with report.check("the memory limit holds there"):
            seen = shop.run(programs.HOG, replace(LIMITS, memory_bytes=64 * MIB))
            expect(seen.verdict is Verdict.MEMORY_LIMIT, seen)


def _elsewhere(report: Report) -> None:
    """The operator names the group: --cgroup_root."""
    groups.delegate("operator")
    sentence = "elsewhere: sandboxes live below the group that the operator names"
    with report.check(sentence), Shop("python", cgroup_root="/operator") as shop:
        seen = shop.run(programs.HELLO)
        expect((seen.verdict, seen.stdout) == (Verdict.OK, b"hello\n"), seen)
        expect(shop.group.startswith("/sys/fs/cgroup/operator/dcodex-"), shop.group)
    (groups.ROOT / "operator").rmdir()


def _refused(report: Report) -> None:
    """A group that was given no controllers."""
    (groups.ROOT / "bare/self").mkdir(parents=True)
    with report.check("refused: the doctor names the controllers that are missing"):
        done = groups.run_in("bare/self", *groups.python("dcodex_worker.doctor", "--json"))
        answer = json.loads(done.stdout)
        found = {finding["name"]: finding for finding in answer["findings"]}["cgroup"]
        expect(done.returncode == 1 and not answer["fit"], answer)
        expect("memory, pids, cpu" in found["text"] and "Delegate" in found["text"], found)
    (groups.ROOT / "bare/self").rmdir()
    (groups.ROOT / "bare").rmdir()


def _shares(report: Report) -> None:
    """A group that was given all but shares of the processors."""
    (groups.ROOT / "lean/self").mkdir(parents=True)
    for name in ("", "lean"):
        (groups.ROOT / name / "cgroup.subtree_control").write_text("-cpu +memory +pids")
    with report.check("shares: the doctor names what an operator may do without"):
        found, fit = _ask_in("lean/self")
        expect(not fit and not found["cpu-share"]["ok"], found)
        expect("--allow-degraded=cpu-share" in str(found["cpu-share"]["remedy"]), found)
    with report.check("shares: with that said, a program runs without"):
        # Where the first one has moved itself.
        found, fit = _ask_in("lean/self/supervisor", "--allow-degraded=cpu-share")
        expect(fit and bool(found["trial"]["ok"]), found)
    for name in ("lean/self/supervisor", "lean/self", "lean"):
        if (groups.ROOT / name).exists():
            (groups.ROOT / name).rmdir()


def _ask_in(group: str, *flags: str) -> tuple[dict[str, dict[str, object]], bool]:
    command = groups.python("dcodex_worker.doctor", "--json", "--preload=", *flags)
    answer = json.loads(groups.run_in(group, *command).stdout)
    return {finding["name"]: finding for finding in answer["findings"]}, answer["fit"]


def _swept(report: Report) -> None:
    """A host that was killed leaves its groups; the next one removes them."""
    with report.check("swept: what a killed host left is removed by the next"):
        command = groups.python("tests.guest.inside", "in-swept")
        with subprocess.Popen(command, stdout=subprocess.PIPE) as host:
            assert host.stdout is not None
            ready, _, _ = select.select([host.stdout], [], [], READY_TIMEOUT_S)
            expect(bool(ready), "no answer")
            group = Path(os.read(host.stdout.fileno(), 4096).decode().strip())
            expect(any(group.iterdir()), group)
            host.kill()
        expect(group.is_dir(), group)
        # As if it had been there for long.
        os.utime(group, (0, 0))
        swept = leftovers.sweep("/run", "")
        expect(swept == 1 and not group.exists(), swept, groups.tree())


def _in_swept(report: Report) -> None:
    shop = Shop("python")
    shop.run(programs.HELLO)
    print(shop.group, flush=True)
    signal.pause()


def _farm(report: Report) -> None:
    """The whole of it, through the public API."""
    flags = ("--min_workers=1", "--max_workers=1", "--languages=python", "--log_level=warning")
    with Farm(*flags, "--preload=") as farm, dcodex.connect(farm.target) as client:
        wanted: tuple[tuple[str, str, dcodex.Limits, dcodex.Verdict], ...] = (
            ("hello", programs.HELLO, dcodex.Limits(cpu_s=30), dcodex.Verdict.OK),
            (
                "memory hog",
                programs.HOG,
                dcodex.Limits(cpu_s=30, wall_s=60, memory_bytes=64 * MIB),
                dcodex.Verdict.MEMORY_LIMIT,
            ),
            (
                "CPU burner in forks",
                programs.BURNS.replace("SECONDS", "30"),
                dcodex.Limits(cpu_s=1, wall_s=120),
                dcodex.Verdict.CPU_LIMIT,
            ),
            (
                "fork counter",
                programs.COUNTS_FORKS,
                dcodex.Limits(cpu_s=30, processes=8),
                dcodex.Verdict.PROCESS_LIMIT,
            ),
            (
                "sleeper",
                "import time; time.sleep(100)",
                dcodex.Limits(cpu_s=30, wall_s=1),
                dcodex.Verdict.WALL_LIMIT,
            ),
            ("hello after all", programs.HELLO, dcodex.Limits(cpu_s=30), dcodex.Verdict.OK),
        )
        for name, source, limits, verdict in wanted:
            with report.check(f"farm: {name} comes to {verdict.name}"):
                result = client.run(source, limits=limits, cache=False, timeout_s=200)
                expect(result.verdict is verdict, result)


def _ask_doctor() -> dict[str, dict[str, object]]:
    command = groups.python("dcodex_worker.doctor", "--json", "--preload=")
    done = subprocess.run(
        command, stdout=subprocess.PIPE, timeout=groups.PART_TIMEOUT_S, check=False
    )
    return {finding["name"]: finding for finding in json.loads(done.stdout)["findings"]}


def _adopt(report: Report, where: str, done: subprocess.CompletedProcess[bytes]) -> None:
    """Count and show the lines of a part that ran as a process of its own."""
    lines = done.stdout.decode().splitlines()
    for line in lines:
        if line.startswith(("PASS", "FAIL")):
            print(f"{line[:6]}{where}: {line[6:]}", flush=True)
            report.passed += line.startswith("PASS")
            report.failed += line.startswith("FAIL")
    if not lines or not lines[-1].startswith("passed"):
        with report.check(f"{where}: it came to its end"):
            expect(False, done.returncode, lines)


PARTS: dict[str, Callable[[Report], None]] = {
    "doctor": _doctor,
    "leaf": _leaf,
    "reuse": _reuse,
    "delegated": _delegated,
    "container": _container,
    "elsewhere": _elsewhere,
    "refused": _refused,
    "shares": _shares,
    "swept": _swept,
    "farm": _farm,
}
#: Parts after which every group is gone that they made.
CLEAN = frozenset(PARTS)
#: Parts that others start as processes of their own.
PARTS |= {"in-delegated": _in_delegated, "in-swept": _in_swept}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
