"""Lists of system calls, made by the machine's own loop."""

from __future__ import annotations

import errno
import os
import socket

import pytest

from dcodex_worker.sandbox.errand import WHATEVER, Errand, Failed, Number


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
