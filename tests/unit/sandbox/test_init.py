"""The process that a sandbox's others die with."""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import select
import signal
import sys
from pathlib import Path

import pytest
from tests.unit.sandbox.alone import alone

from dcodex_worker.sandbox import init, kernel
from dcodex_worker.sandbox.errand import Errand, Failed

_ID = 1_000_000_321


def _list_that_makes_one() -> tuple[Errand, ctypes.c_int32]:
    """The list, and where it leaves init's pid."""
    told = ctypes.c_int32(0)
    errand = Errand()
    errand.step("init")
    init.plan(errand, _ID, ctypes.addressof(told))
    errand.seal()
    return errand, told


@pytest.mark.skipif(os.geteuid() != 0, reason="gives up root")
@alone
def test_init_gives_up_root_hears_nothing_and_dies_with_who_made_it() -> None:
    errand, told = _list_that_makes_one()
    reader, writer = os.pipe()
    keeper = kernel.fork()
    if keeper == 0:
        try:
            before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
            errand.run()
            same = signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
            same &= signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL
            os.write(writer, f"{told.value} {same}".encode())
            signal.pause()
        finally:
            os._exit(1)
    os.close(writer)
    pid, unchanged = os.read(reader, 100).decode().split()
    assert unchanged == "True"
    pidfd = os.pidfd_open(int(pid))
    status = ""
    while f"Uid:\t{_ID}\t{_ID}\t{_ID}\t{_ID}" not in status:
        status = Path(f"/proc/{pid}/status").read_text()
    assert int(status.partition("SigBlk:")[2].split()[0], 16) & (1 << signal.SIGTERM - 1)
    assert int(status.partition("SigIgn:")[2].split()[0], 16) & (1 << signal.SIGCHLD - 1)
    # The last that it does before it sleeps.
    while Path(f"/proc/{pid}/syscall").read_text().split()[0] != "34":  # pause
        pass
    assert os.listdir(f"/proc/{pid}/fd") == []
    signal.pidfd_send_signal(pidfd, signal.SIGTERM)
    os.kill(keeper, signal.SIGKILL)
    os.waitpid(keeper, 0)
    assert select.select([pidfd], [], [], 10.0)[0]
    os.close(pidfd)
    os.close(reader)


@pytest.mark.skipif(os.geteuid() != 0, reason="gives up root")
@alone
def test_one_list_makes_an_init_as_often_as_wanted() -> None:
    errand, told = _list_that_makes_one()
    for _ in range(3):
        errand.run()
        assert os.waitpid(told.value, os.WNOHANG) == (0, 0)
        os.kill(told.value, signal.SIGKILL)
        assert os.waitstatus_to_exitcode(os.waitpid(told.value, 0)[1]) == -signal.SIGKILL


@pytest.mark.skipif(os.geteuid() != 0, reason="root is not refused, and only root may leave")
@alone
def test_a_list_that_was_refused_an_init_leaves_no_signal_blocked_when_it_goes_well() -> None:
    errand, told = _list_that_makes_one()
    refused = kernel.fork()
    if refused == 0:
        try:
            before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
            os.setresuid(_ID + 1, _ID + 1, _ID + 1)
            _, most = resource.getrlimit(resource.RLIMIT_NPROC)
            resource.setrlimit(resource.RLIMIT_NPROC, (0, most))
            with pytest.raises(Failed) as failure:
                errand.run()
            assert (failure.value.step, failure.value.number) == ("init", errno.EAGAIN)
            assert told.value == 0
            resource.setrlimit(resource.RLIMIT_NPROC, (most, most))
            errand.run()
            assert told.value != 0
            assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
            os._exit(0)
        finally:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(refused, 0)[1]) == 0
