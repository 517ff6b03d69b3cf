"""Lists of system calls, made by the machine's own loop."""

from __future__ import annotations

import errno
import os
import resource
import socket

import pytest
from tests.unit.sandbox.alone import alone

from dcodex_worker.sandbox import kernel
from dcodex_worker.sandbox.errand import OUTCOME, WHATEVER, ChildFailed, Errand, Failed, Number


def errand_of(*calls: tuple[int, ...], result: int = WHATEVER) -> Errand:
    errand = Errand()
    errand.step("only")
    for call in calls:
        errand.call(*call, result=result)
    errand.seal()
    return errand


def test_calls_are_made_in_their_order_as_often_as_wanted() -> None:
    reader, writer = os.pipe()
    errand = Errand()
    errand.step("write")
    for text in (b"one ", b"two "):
        errand.call(Number.WRITE, writer, text, len(text), result=len(text))
    errand.seal()
    errand.run()
    errand.run()
    assert os.read(reader, 100) == b"one two one two "
    os.close(reader)
    os.close(writer)


def test_the_first_call_that_fails_ends_it_and_is_named() -> None:
    reader, writer = os.pipe()
    errand = Errand()
    errand.step("good")
    errand.call(Number.WRITE, writer, b"x", 1)
    errand.step("bad")
    errand.call(Number.CLOSE, 1 << 20)
    errand.step("never")
    errand.call(Number.WRITE, writer, b"y", 1)
    errand.seal()
    with pytest.raises(Failed) as failure:
        errand.run()
    assert (failure.value.step, failure.value.number) == ("bad", errno.EBADF)
    assert os.read(reader, 100) == b"x"
    os.close(reader)
    os.close(writer)


def test_another_result_than_the_expected_one_is_a_failure() -> None:
    errand = Errand()
    errand.step("socket")
    errand.call(Number.SOCKET, socket.AF_UNIX, socket.SOCK_STREAM, 0, result=1 << 20)
    errand.seal()
    lowest = os.dup(0)
    os.close(lowest)
    with pytest.raises(Failed) as failure:
        errand.run()
    assert (failure.value.step, failure.value.number) == ("socket", 0)
    os.close(lowest)


@alone
def test_a_list_that_has_failed_goes_well_when_its_reason_is_gone() -> None:
    taken = os.dup(0)
    free = os.dup(0)
    os.close(free)
    errand = Errand()
    errand.step("socket")
    errand.call(Number.SOCKET, socket.AF_UNIX, socket.SOCK_STREAM, 0, result=taken)
    errand.seal()
    with pytest.raises(Failed):
        errand.run()
    os.close(free)
    os.close(taken)
    errand.run()
    os.close(taken)


def test_a_call_whose_result_does_not_matter_may_fail() -> None:
    errand_of((Number.CLOSE, 1 << 20)).run()


def test_an_empty_list_does_nothing() -> None:
    errand_of().run()


def test_an_argument_can_be_changed_in_a_list_that_is_complete() -> None:
    reader, writer = os.pipe()
    errand = Errand()
    errand.step("write")
    place = errand.call(Number.WRITE, -1, b"late", 4)
    errand.seal()
    errand.set_argument(place, 0, writer)
    errand.run()
    assert os.read(reader, 100) == b"late"
    os.close(reader)
    os.close(writer)


def test_an_outcome_ends_the_list_and_is_what_comes_of_it() -> None:
    reader, writer = os.pipe()
    errand = Errand()
    errand.step("only")
    errand.call(Number.WRITE, writer, b"four", 4, result=OUTCOME)
    errand.call(Number.WRITE, writer, b"never", 5)
    errand.seal()
    assert [errand.run(), errand.run()] == [4, 4]
    assert os.read(reader, 100) == b"fourfour"
    os.close(reader)
    os.close(writer)


def test_an_outcome_that_is_an_error_is_a_failure() -> None:
    errand = Errand()
    errand.step("bad")
    errand.call(Number.CLOSE, 1 << 20, result=OUTCOME)
    errand.seal()
    with pytest.raises(Failed) as failure:
        errand.run()
    assert (failure.value.step, failure.value.number) == ("bad", errno.EBADF)


def forking(writer: int, *, result: int) -> Errand:
    child = Errand()
    child.step("child")
    child.call(Number.WRITE, writer, b"child", 5, result=result)
    child.seal()
    errand = Errand()
    errand.step("fork")
    errand.fork(child)
    errand.seal()
    return errand


@alone
def test_a_list_forks_and_its_child_makes_the_calls_of_another() -> None:
    reader, writer = os.pipe()
    errand = forking(writer, result=OUTCOME)
    for _ in range(2):
        pid, came = errand.run_forking()
        if pid == 0:
            os._exit(came)
        assert came == 0
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == len(b"child")
        assert os.read(reader, 100) == b"child"
    os.close(reader)
    os.close(writer)


@alone
def test_what_fails_in_the_child_is_told_there() -> None:
    errand = forking(1 << 20, result=5)
    try:
        pid, _ = errand.run_forking()
    except ChildFailed as failure:
        os._exit(failure.number if failure.step == "child" else 99)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == errno.EBADF


@pytest.mark.skipif(os.geteuid() != 0, reason="root is not refused, and only root may leave")
@alone
def test_a_fork_that_is_refused_is_a_failure_with_its_reason() -> None:
    errand = forking(1, result=OUTCOME)
    refused = kernel.fork()
    if refused == 0:
        try:
            os.setresuid(1_000_000_322, 1_000_000_322, 1_000_000_322)
            resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
            errand.run_forking()
        except Failed as failure:
            os._exit(failure.number if failure.step == "fork" else 99)
        finally:
            os._exit(98)
    assert os.waitstatus_to_exitcode(os.waitpid(refused, 0)[1]) == errno.EAGAIN
