"""The tables that people read."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from tests.bench.measure import Mark, Target, unevenness
from tests.bench.plan import MAIN_CALLERS
from tests.bench.results import Cost, Leases, Results, Verdict
from tests.bench.sides import FARM
from tests.bench.suite import Figures
from tests.bench.workloads import FLAT_WITHIN, Workload

_MARKS = {
    Mark.AIM: "[green]aim[/]",
    Mark.MUST: "[green]pass[/]",
    Mark.MISSED: "[bold red]FAIL[/]",
}
#: What one core of the coordinator aims for.
_LEASES_AIM = 10_000
#: Wide enough for every column where the output goes to a file.
_WIDTH = 150


def make_console(stderr: bool = False) -> Console:
    """A console that does not fold tables when nobody's terminal bounds them."""
    console = Console(stderr=stderr, highlight=False)
    return console if console.is_terminal else Console(stderr=stderr, width=_WIDTH, highlight=False)


def show(results: Results, console: Console) -> None:
    """Print all tables."""
    if results.workloads or results.verdicts:
        console.print(_main_table(results))
    if results.costs:
        console.print(_cost_table(results.costs))
    if results.leases:
        console.print(_lease_table(results.leases))
    for verdict in results.verdicts:
        if verdict.detail:
            console.print(f"{verdict.title}: {verdict.detail}", style="dim", soft_wrap=True)
    for line in results.complaints:
        console.print(f"[yellow]{escape(line)}[/]", soft_wrap=True)
    for line in results.failures:
        console.print(f"[bold red]failed:[/] {escape(line)}", soft_wrap=True)
    missed = results.missed()
    if missed:
        console.print(f"[red]{len(missed)} missed:[/] " + ", ".join(row.title for row in missed))
    elif results.verdicts and not results.failures:
        console.print("[green]everything is as it must be[/]")


def _main_table(results: Results) -> Table:
    table = Table(title="against a start by hand (latency in ms, runs a second, CPU ms a run)")
    for name in ("workload", "side"):
        table.add_column(name, no_wrap=True)
    columns = ("p50", "p90", "p99", "/s 1", "/s 8", "/s 32", "CPU", "ratio", "must", "aim", "")
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    verdicts = {verdict.key: verdict for verdict in results.verdicts}
    shown = set()
    for workload, rows in results.workloads:
        table.add_section()
        for index, row in enumerate(rows):
            verdict = verdicts.get(workload.key) if row.side == FARM else None
            title = f"{workload.key} {workload.title}" if index == 0 else ""
            table.add_row(title, row.side, *_figures(row), _ratio(row.ratio), *_verdict(verdict))
        shown.add(workload.key)
        _add_throughput(table, workload, rows, verdicts, shown)
    table.add_section()
    for verdict in results.verdicts:
        if verdict.key not in shown:
            table.add_row(verdict.title, "", *[""] * 7, _ratio(verdict.value), *_verdict(verdict))
    return table


def _add_throughput(
    table: Table,
    workload: Workload,
    rows: Sequence[Figures],
    verdicts: dict[str, Verdict],
    shown: set[str],
) -> None:
    """The ratios of runs a second, under their columns, and the one that is a target."""
    for row in rows:
        if row.side != FARM:
            continue
        verdict = verdicts.get(throughput_key(workload))
        shown.add(throughput_key(workload))
        ratios = [_ratio(row.rate_ratios.get(level, math.nan)) for level in (1, 8, 32)]
        value = _ratio(verdict.value) if verdict else ""
        table.add_row(
            "", "  runs/s ratio", "", "", "", *ratios, "", value, *_verdict(verdict), style="dim"
        )


def throughput_key(workload: Workload) -> str:
    """The name of a workload's throughput among the targets."""
    return f"{workload.key} throughput"


def _figures(row: Figures) -> list[str]:
    latency = [
        _number(value * 1000) for value in (row.latency.p50, row.latency.p90, row.latency.p99)
    ]
    rates = [_number(row.rates.get(level, math.nan)) for level in (1, MAIN_CALLERS, 32)]
    return [*latency, *rates, _number(row.cpu_ms)]


def _verdict(verdict: Verdict | None) -> list[str]:
    if verdict is None:
        return ["", "", ""]
    return [*_target(verdict.target), _MARKS[verdict.mark]]


def _target(target: Target) -> list[str]:
    return [f"{target.must:g}", f"{target.aim:g}"]


def _cost_table(costs: Sequence[Cost]) -> Table:
    table = Table(title="what a run costs as the farm grows (CPU ms, without the callers)")
    for name in ("workers", "waiting", "CPU ms a run", "runs/s"):
        table.add_column(name, justify="right")
    for cost in costs:
        table.add_row(
            str(cost.workers), str(cost.waiting), _number(cost.cpu_ms), _number(cost.rate)
        )
    uneven = unevenness([cost.cpu_ms for cost in costs])
    if not math.isnan(uneven):
        mark = _MARKS[Mark.MUST if uneven <= FLAT_WITHIN else Mark.MISSED]
        table.caption = f"within {uneven:.0%}, must be within {FLAT_WITHIN:.0%} {mark}"
    return table


def _lease_table(leases: Sequence[Leases]) -> Table:
    table = Table(title="the coordinator alone, on one core (workers that answer at once)")
    for name in ("workers", "waiting", "leases/s", "messages/s", "loop alone", "aim", ""):
        table.add_column(name, justify="right")
    for row in leases:
        mark = _MARKS[Mark.AIM] if row.leases_a_core_second >= _LEASES_AIM else ""
        table.add_row(
            str(row.workers),
            str(row.waiting),
            f"{row.leases_a_core_second:,.0f}",
            f"{row.messages_a_core_second:,.0f}",
            f"{row.leases_a_loop_second:,.0f}",
            f"{_LEASES_AIM:,}",
            mark,
        )
    return table


def _ratio(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.3f}" if value < 1 else f"{value:.2f}"


def _number(value: float) -> str:
    if math.isnan(value):
        return ""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
