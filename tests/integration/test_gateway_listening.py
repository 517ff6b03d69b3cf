"""A port is left to whoever else listens on it, and no connection is refused."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from dcodex_gateway.listening import has_connections, others_listen, stop_listening

PATIENCE_S = 15.0
#: More than a coin would spare by chance: the kernel picks a listener by the connection's ports.
CALLERS = 40

_NEIGHBOUR = """\
import socket, sys
door = socket.socket()
door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
door.bind(('127.0.0.1', int(sys.argv[1])))
door.listen(100)
print('on', flush=True)
while True:
    door.accept()[0].sendall(b'neighbour')
"""


@pytest.fixture
def door() -> Iterator[socket.socket]:
    """A listening socket that shares its port."""
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        one.bind(("127.0.0.1", 0))
        one.listen(100)
        yield one


@pytest.fixture
def neighbour(door: socket.socket) -> Iterator[None]:
    """Another process on the same port."""
    with subprocess.Popen(
        [sys.executable, "-P", "-c", _NEIGHBOUR, str(port_of(door))], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"on\n"
        yield
        process.kill()


def port_of(one: socket.socket) -> int:
    port: int = one.getsockname()[1]
    return port


def call(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as caller:
        return caller.recv(100)


def test_it_tells_its_own_socket_from_others(door: socket.socket) -> None:
    assert not others_listen(port_of(door))
    assert not has_connections(port_of(door))
    with socket.create_connection(door.getsockname(), PATIENCE_S):
        taken = door.accept()[0]
        assert has_connections(port_of(door))
        taken.close()


@pytest.mark.usefixtures("neighbour")
def test_whoever_connects_while_it_stops_is_served_by_it_or_by_another(
    door: socket.socket,
) -> None:
    port = port_of(door)
    assert others_listen(port)
    answers: list[bytes] = []
    callers = [threading.Thread(target=lambda: answers.append(call(port))) for _ in range(CALLERS)]
    # Some wait to be accepted when it begins to stop; the others come meanwhile.
    for caller in callers[: CALLERS // 2]:
        caller.start()

    def serve() -> None:
        while True:
            try:
                taken = door.accept()[0]
            except OSError:
                return
            with taken:
                taken.sendall(b"door")

    async def stop() -> None:
        stopping = asyncio.create_task(stop_listening(port))
        await asyncio.sleep(0)
        for caller in callers[CALLERS // 2 :]:
            caller.start()
        server = threading.Thread(target=serve)
        server.start()
        await stopping
        await asyncio.to_thread(server.join, PATIENCE_S)

    asyncio.run(stop())
    for caller in callers:
        caller.join(PATIENCE_S)
    assert len(answers) == CALLERS
    assert set(answers) == {b"door", b"neighbour"}
    assert call(port) == b"neighbour"


def test_a_look_leaves_no_descriptors(door: socket.socket) -> None:
    # Also of those that are no sockets.
    read_end, write_end = os.pipe()
    before = os.listdir("/proc/self/fd")
    for _ in range(3):
        assert not has_connections(door.getsockname()[1])
    assert len(os.listdir("/proc/self/fd")) == len(before)
    os.close(read_end)
    os.close(write_end)
