"""One real farm for all end-to-end tests: real processes, real sockets, the real sandbox."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

import dcodex
from dcodex.demo.leftovers import adopting_orphans
from dcodex.demo.preflight import missing_right
from dcodex.testing import Farm, quiet_flags
from dcodex_proto.classic import code_executor_pb2_grpc as classic

EXAMPLES = Path(__file__).parents[2] / "client" / "examples"
WORKERS = 4


@pytest.fixture(scope="session", autouse=True)
def _isolation() -> None:
    """Skip everything where programs cannot be isolated; say what is missing."""
    right = missing_right()
    if right:
        pytest.skip(right)


@pytest.fixture(scope="module", autouse=True)
def _orphans() -> Iterator[None]:
    with adopting_orphans():
        yield


@pytest.fixture(scope="session")
def farm() -> Iterator[Farm]:
    """A farm that all tests share; those that break one start their own."""
    with Farm(*quiet_flags(WORKERS)) as farm:
        yield farm


@pytest.fixture
def client(farm: Farm) -> Iterator[dcodex.Client]:
    with dcodex.connect(farm.target) as client:
        yield client


@pytest.fixture
def legacy(farm: Farm) -> Iterator[classic.CodeExecutorStub]:
    """The stub that clients of the original DCodeX have."""
    with grpc.insecure_channel(farm.target) as channel:
        yield classic.CodeExecutorStub(channel)


@pytest.fixture
def c_compiler() -> None:
    if shutil.which("gcc") is None:
        pytest.skip("gcc is missing: apt-get install gcc libc6-dev")


@pytest.fixture
def cpp_compiler() -> None:
    if shutil.which("g++") is None:
        pytest.skip("g++ is missing: apt-get install g++")
