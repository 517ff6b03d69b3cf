"""A process that keeps a program's memory until after the program's end."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.sandbox.alone import alone

from dcodex_worker.sandbox import holder, kernel
from dcodex_worker.sandbox.errand import Errand, Failed

_SIZE = 32 << 20


def _errand() -> Errand:
    errand = Errand()
    errand.step("holder")
    holder.plan(errand)
    errand.seal()
    return errand


def _fork(program: Callable[[], None]) -> int:
    """The pid of a child that has a holder and runs a function."""
    errand = _errand()
    child = kernel.fork()
    if child == 0:
        try:
            kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
            errand.run()
            program()
        finally:
            os._exit(99)
    return child


def _children() -> set[int]:
    text = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    return {int(pid) for pid in text.split()}


def _status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


@alone
def test_memory_outlives_its_program_and_goes_with_the_holder() -> None:
    reader, writer = os.pipe()
    ready_reader, ready_writer = os.pipe()

    def program() -> None:
        kept = bytearray(_SIZE)
        os.write(ready_writer, b"x")
        os.read(reader, 1)
        os._exit(len(kept) >> 20)

    before = _children()
    child = _fork(program)
    os.read(ready_reader, 1)
    (holder_id,) = _children() - before - {child}
    # Stopped, it cannot go when the program does.
    os.kill(holder_id, signal.SIGSTOP)
    os.waitpid(holder_id, os.WUNTRACED)
    os.write(writer, b"x")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == _SIZE >> 20
    assert int(_status(holder_id)["VmRSS"].split()[0]) << 10 > _SIZE
    os.kill(holder_id, signal.SIGCONT)
    assert os.waitstatus_to_exitcode(os.waitpid(holder_id, 0)[1]) == 0
    for fd in (reader, writer, ready_reader, ready_writer):
        os.close(fd)


@alone
def test_a_holder_has_no_descriptor_and_hardly_any_system_call() -> None:
    reader, writer = os.pipe()
    go_reader, go_writer = os.pipe()

    def program() -> None:
        os.write(writer, b"x")
        os.read(go_reader, 1)

    before = _children()
    child = _fork(program)
    os.read(reader, 1)
    (held,) = _children() - before - {child}
    assert os.listdir(f"/proc/{held}/fd") == []
    assert _status(held)["Seccomp"] == "2"
    assert len(os.listdir(f"/proc/{child}/fd")) > 0
    os.write(go_writer, b"x")
    for pid in (child, held):
        os.waitpid(pid, 0)
    for fd in (reader, writer, go_reader, go_writer):
        os.close(fd)


@alone
def test_a_holder_goes_when_its_program_becomes_another() -> None:
    reader, writer = os.pipe()

    def program() -> None:
        os.dup2(reader, 0)
        os.execv("/bin/cat", ["cat"])

    before = _children()
    child = _fork(program)
    os.close(reader)
    while not (held := _children() - before - {child}):
        assert os.waitpid(child, os.WNOHANG) == (0, 0)
    # It ends by itself, and its program lives on.
    assert os.waitstatus_to_exitcode(os.waitpid(held.pop(), 0)[1]) == 0
    assert os.waitpid(child, os.WNOHANG) == (0, 0)
    os.close(writer)
    os.waitpid(child, 0)


@pytest.mark.skipif(os.geteuid() != 0, reason="root may have a filter in any case")
@alone
def test_what_a_holder_cannot_give_up_is_a_failure() -> None:
    errand = _errand()
    child = kernel.fork()
    if child == 0:
        try:
            # Without privileges, and without no_new_privs: no filter.
            os.setresuid(65534, 65534, 65534)
            errand.run()
        except Failed as failure:
            os._exit(failure.number)
        finally:
            os._exit(99)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == errno.EAGAIN
