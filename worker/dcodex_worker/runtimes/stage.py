"""The steps of one execution: compile, then run; or run alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from dcodex_shared.program import Program
from dcodex_worker.sandbox.box import Launch, Sandbox


class CompileLost(Exception):
    """The compiler said that it succeeded, but left no file that could be a program."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One program in one sandbox; its limits are launch.limits."""

    sandbox: Sandbox
    launch: Launch
    compiling: bool


class Armed(Protocol):
    """All sandboxes armed for one language in one worker; used for one execution."""

    language: str
    #: Whether begin() found the program in the compile cache.
    compile_cache_hit: bool

    def preparing(self) -> int:
        """A descriptor that ends when all is started that a program may need; -1: it is."""

    def listener(self) -> int:
        """Tells poll(2) when what was started ahead asks something: answer() then. -1: nothing."""

    def answer(self, happened: int) -> None:
        """Have that answered; happened: what poll(2) says of it."""

    def begin(self, program: Program) -> Stage:
        """The first stage."""

    def after_compile(self) -> Stage:
        """The run, after a compile that ended with status 0; raises CompileLost, SetupError."""

    def run_begun(self) -> None:
        """The program runs: time for what nobody waits for."""

    def destroy(self) -> None:
        """Leave nothing of what was used; raises SetupError when that cannot be."""
