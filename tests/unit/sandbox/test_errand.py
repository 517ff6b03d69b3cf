"""Lists of system calls, made by the machine's own loop."""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import socket

import pytest
from tests.unit.sandbox.alone import alone

from dcodex_worker.sandbox import kernel
from dcodex_worker.sandbox.errand import (
    END,
    WHATEVER,
    Errand,
    Failed,
    Number,
    make,
    number_at,
    pack_call,
    result_at,
)


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


def test_an_error_that_is_expected_is_none() -> None:
    errand_of((Number.CLOSE, 1 << 20), result=-errno.EBADF).run()


def test_no_error_passes_for_a_success() -> None:
    errand = Errand()
    errand.step("refused")
    # EPERM, whose negative is -1.
    errand.call(Number.SETPRIORITY, 99, 0, 0, result=-errno.EPERM)
    errand.seal()
    with pytest.raises(Failed) as failure:
        errand.run()
    assert failure.value.number == errno.EINVAL


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may leave")
@alone
def test_a_call_that_is_not_permitted_is_a_failure() -> None:
    errand = errand_of((Number.SETRESUID, 0, 0, 0), result=-4096)
    os.setresuid(65534, 65534, 65534)
    with pytest.raises(Failed) as failure:
        errand.run()
    assert failure.value.number == errno.EPERM


def test_a_list_goes_on_where_memory_says() -> None:
    reader, writer = os.pipe()
    other = Errand()
    other.step("other")
    other.call(Number.WRITE, writer, b"other", 5)
    other.seal()
    where = ctypes.c_uint64(0)
    errand = Errand()
    errand.step("store")
    errand.store(ctypes.addressof(where), other.begin)
    errand.goto(ctypes.addressof(where))
    errand.step("never")
    errand.call(Number.WRITE, writer, b"never", 5)
    errand.seal()
    errand.run()
    assert os.read(reader, 100) == b"other"
    os.close(reader)
    os.close(writer)


def test_calls_that_came_as_bytes_are_made_where_they_lie() -> None:
    reader, writer = os.pipe()
    text = ctypes.create_string_buffer(b"text")
    calls = (
        pack_call(Number.WRITE, writer, ctypes.addressof(text), 4, result=4),
        pack_call(Number.CLOSE, 1 << 20),
        END,
    )
    room = ctypes.create_string_buffer(b"".join(calls))
    stop = make(ctypes.addressof(room))
    assert os.read(reader, 100) == b"text"
    assert stop == ctypes.addressof(room) + len(END)
    assert (number_at(stop), result_at(stop)) == (Number.CLOSE, -errno.EBADF)
    os.close(reader)
    os.close(writer)


def forking(writer: int) -> tuple[Errand, Errand, ctypes.c_int64]:
    """A list that forks, the child's, and where the pid comes to."""
    child = Errand()
    child.step("child")
    child.call(Number.WRITE, writer, b"child", 5, result=5)
    child.seal()
    told = ctypes.c_int64(0)
    errand = Errand()
    errand.step("fork")
    errand.fork(child, ctypes.addressof(told))
    errand.step("parent")
    errand.call(Number.WRITE, writer, b"parent", 6, result=6)
    errand.seal()
    return errand, child, told


@alone
def test_a_list_forks_and_its_child_makes_the_calls_of_another() -> None:
    reader, writer = os.pipe()
    errand, _, told = forking(writer)
    for _ in range(2):
        told.value = 0
        errand.run()
        if told.value == 0:
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(told.value, 0)[1]) == 7
        said = os.read(reader, 100)
        assert sorted(said.replace(b"child", b"c").replace(b"parent", b"p")) == [*b"cp"]
    os.close(reader)
    os.close(writer)


@alone
def test_what_fails_in_the_child_is_told_there() -> None:
    errand, child, told = forking(1 << 20)
    stop = make(errand.begin)
    assert stop is not None
    if told.value == 0:
        assert errand.failure(stop) is None
        failure = child.failure(stop)
        assert failure is not None
        os._exit(failure.number if failure.step == "child" else 99)
    assert os.waitstatus_to_exitcode(os.waitpid(told.value, 0)[1]) == errno.EBADF
    own = errand.failure(stop)
    assert own is not None
    assert (own.step, own.number) == ("parent", errno.EBADF)


@pytest.mark.skipif(os.geteuid() != 0, reason="root is not refused, and only root may leave")
@alone
def test_a_fork_that_is_refused_is_a_failure_with_its_reason() -> None:
    errand, _, told = forking(1)
    refused = kernel.fork()
    if refused == 0:
        try:
            os.setresuid(1_000_000_322, 1_000_000_322, 1_000_000_322)
            resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
            errand.run()
        except Failed as failure:
            known = failure.step == "fork" and told.value == 0
            os._exit(failure.number if known else 99)
        finally:
            os._exit(98)
    assert os.waitstatus_to_exitcode(os.waitpid(refused, 0)[1]) == errno.EAGAIN
