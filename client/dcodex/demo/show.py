"""How the demo looks: a program's live output, and the table at the end."""

from __future__ import annotations

from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dcodex.demo.cases import Case
from dcodex.values import Result

#: Lines of one program that are shown; the rest is counted.
SHOWN_LINES = 16
#: What the table needs.
WIDTH = 96


def make_console() -> Console:
    """A console wide enough for the table where the output is no terminal."""
    console = Console(highlight=False, soft_wrap=True)
    return console if console.is_terminal else Console(highlight=False, soft_wrap=True, width=WIDTH)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one program came to."""

    case: Case
    result: Result

    @property
    def as_expected(self) -> bool:
        """Whether verdict, exit code and output are what they must be."""
        case, result = self.case, self.result
        wrote = result.text + result.error_text + result.compiler_text
        return (
            result.verdict is case.verdict
            and case.exit_code in (None, result.exit_code)
            and case.says in wrote
        )


class LiveOutput:
    """Shows lines as they come, each with its time since the start."""

    def __init__(self, console: Console, style: str = "") -> None:
        self._console = console
        self._style = style
        self._shown = 0
        self._hidden_bytes = 0
        #: A line that has not ended.
        self._rest = ""

    def feed(self, text: str, elapsed_s: float) -> list[str]:
        """Show what is complete in it; returns those lines."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            if self._shown < SHOWN_LINES:
                self._shown += 1
                stamp = Text(f"  {elapsed_s * 1000:6.0f} ms  ", style="dim")
                self._console.print(stamp + Text(line[:100], style=self._style))
            else:
                self._hidden_bytes += len(line) + 1
        return lines

    def close(self, elapsed_s: float) -> None:
        """Show what did not end in a newline, and say what was not shown."""
        if self._rest:
            self.feed("\n", elapsed_s)
        if self._hidden_bytes:
            self._console.print(Text(f"  … {self._hidden_bytes:,} more bytes", style="dim"))


def make_table(outcomes: list[Outcome]) -> Table:
    """One line for each program."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("program", "verdict", "expected?"):
        table.add_column(name, no_wrap=True)
    for name in ("exit", "CPU ms", "wall ms", "peak MiB", "queue ms"):
        table.add_column(name, justify="right", no_wrap=True)
    for outcome in outcomes:
        usage = outcome.result.usage
        table.add_row(
            outcome.case.files[0],
            outcome.result.verdict.name,
            "[green]yes[/]" if outcome.as_expected else "[bold red]NO[/]",
            str(outcome.result.exit_code),
            f"{usage.cpu_s * 1000:.1f}",
            f"{usage.wall_s * 1000:.1f}",
            f"{usage.peak_memory_bytes / (1 << 20):.1f}",
            f"{usage.queue_wait_s * 1000:.1f}",
        )
    return table
