"""One keeper and the sandboxes that it arms one after another, without a farm."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import shutil
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.sandbox.workbench import Bench, Plan

from dcodex.demo.preflight import missing_right
from dcodex_shared.limits import DEFAULT_LIMITS, MIB
from dcodex_shared.program import SourceFile
from dcodex_worker.runtimes.stage import Stage
from dcodex_worker.sandbox.box import PIPE_BYTES, Keeper, Launch, Sandbox
from dcodex_worker.sandbox.trial import End, run_to_end
from dcodex_worker.template.launcher import ENVIRONMENT

#: How long nothing happens while a sandbox is looked at, in seconds, and what all in its group may
#: use of the processor meanwhile: one that spins uses most of it.
QUIET_S = 0.4
IDLE_CPU_S = 0.02
#: What a pipe holds that nobody has enlarged.
USUAL_PIPE_BYTES = 64 << 10
PATIENCE_S = 20.0

pytestmark = pytest.mark.timeout(60)

#: What a program says first: which network namespace it is in.
NETWORK = "import os; print(os.stat('/proc/self/ns/net').st_ino, flush=True)\n"
#: Programs after which the network namespace is as new.
UNTOUCHED = {
    "nothing": "",
    "a Unix socket": "import socket; socket.socketpair()\n",
    "a child": "import os\nif os.fork() == 0: os._exit(0)\nos.wait()\n",
    "an abrupt end": "import os; os.kill(os.getpid(), 9)\n",
    "a process that is left": (
        "import os, time\nif os.fork() == 0:\n    os.setsid(); time.sleep(60)\n"
    ),
    "a process that is left with a Unix socket": (
        "import os, socket, time\n"
        "here, there = socket.socketpair()\n"
        "if os.fork() == 0:\n    time.sleep(60)\n"
    ),
}
#: Programs after which it is not.
TOUCHED = {
    "an internet socket": "import socket; socket.socket()\n",
    "a netlink socket": "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)\n",
    "a process that is left and asks late": (
        "import os, socket\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    while True: socket.socket().close()\n"
        "socket.socket()\n"
    ),
}


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    right = missing_right()
    if right:
        pytest.skip(right)
    with contextlib.ExitStack() as stack:
        # Neither below /tmp nor below /work, which sandboxes have for their own.
        scratch = tempfile.mkdtemp(prefix="dcodex-keepers-", dir="/srv")
        stack.callback(shutil.rmtree, scratch)
        for name in ("extra", "shown"):
            Path(scratch, name).mkdir()
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="dcodex-keepers-"))
        made = Bench(Plan(scratch, ()), directory)
        stack.callback(made.close)
        yield made


@pytest.fixture
def keeper(bench: Bench) -> Iterator[Keeper]:
    made = bench.keeper(0, 16 * MIB)
    yield made
    made.close()


@contextlib.contextmanager
def _armed(keeper: Keeper) -> Iterator[Sandbox]:
    sandbox = keeper.arm(128 * MIB, 8)
    try:
        yield sandbox
    finally:
        sandbox.destroy()


def _launch(source: str, name: str = "main.py", *args: str) -> Launch:
    return Launch(
        files=(SourceFile(name, 0o644, source.encode()),),
        argv=(name, *args),
        environment=tuple(ENVIRONMENT.items()),
        limits=replace(DEFAULT_LIMITS, wall_s=PATIENCE_S),
        warm=True,
    )


def _run(keeper: Keeper, source: str) -> int:
    """The network namespace that a program was in."""
    with _armed(keeper) as sandbox:
        sandbox.launch(_launch(NETWORK + source))
        _await(sandbox, sandbox.status)
        assert sandbox.exit_status() is not None
        return int(_read(sandbox))


def _read(sandbox: Sandbox) -> bytes:
    """What it says next."""
    _await(sandbox, sandbox.stdout)
    return os.read(sandbox.stdout, 4096)


def _await(sandbox: Sandbox, fd: int) -> None:
    """Wait until that is readable; what the program asks meanwhile is answered."""
    while True:
        poll = select.poll()
        for watched in {fd, sandbox.listener} - {-1}:
            poll.register(watched, select.POLLIN)
        ready = dict(poll.poll(PATIENCE_S * 1000))
        assert ready
        if sandbox.listener in ready:
            sandbox.answer(ready[sandbox.listener])
        if fd in ready:
            return


@pytest.mark.parametrize("does", UNTOUCHED)
def test_a_network_in_which_no_socket_was_asked_for_serves_again(does: str, keeper: Keeper) -> None:
    first = _run(keeper, UNTOUCHED[does])
    assert [_run(keeper, "") for _ in range(2)] == [first, first]


@pytest.mark.parametrize("does", TOUCHED)
def test_a_network_that_somebody_has_touched_never_serves_again(does: str, keeper: Keeper) -> None:
    first = _run(keeper, TOUCHED[does])
    second = _run(keeper, "")
    assert first != second
    assert _run(keeper, TOUCHED[does]) == second
    assert _run(keeper, "") != second


def test_a_network_serves_again_though_init_was_killed_before_the_program_ended(
    keeper: Keeper,
) -> None:
    with _armed(keeper) as sandbox:
        sandbox.launch(_launch(NETWORK + "import time; time.sleep(60)\n"))
        first = int(_read(sandbox))
        signal.pidfd_send_signal(sandbox.pidfd, signal.SIGKILL)
        assert select.select([sandbox.status], [], [], PATIENCE_S)[0]
        assert sandbox.exit_status() is not None
    assert _run(keeper, "") == first


def test_a_program_in_a_network_that_serves_again_has_a_loopback_that_works(
    keeper: Keeper,
) -> None:
    source = (
        "import socket, sys\n"
        "server = socket.create_server(('127.0.0.1', 0))\n"
        "client = socket.create_connection(server.getsockname())\n"
        "server.accept()[0].sendall(b'heard')\n"
        "sys.exit(client.recv(9) != b'heard')\n"
    )
    first = _run(keeper, "")
    with _armed(keeper) as sandbox:
        end = run_to_end(Stage(sandbox, _launch(NETWORK + source), compiling=False))
    assert end == End(0, b"%d\n" % first, b"")


@pytest.mark.parametrize("name", ["main.py", "hello.py", "folder/a b", "m\u00fcll.py"])
@pytest.mark.parametrize("args", [(), ("one", "two")])
def test_a_file_of_any_name_is_run_by_the_interpreter_that_waited(
    name: str, args: tuple[str, ...], keeper: Keeper
) -> None:
    # The kernel still says what the template was started with: nothing was executed since.
    source = (
        "import sys\n"
        "print(__file__, sys.argv, sys.orig_argv[1:])\n"
        "print(open('/proc/self/cmdline').read().split(chr(0))[1:])\n"
    )
    assert keeper.doors.any_name
    with _armed(keeper) as sandbox:
        end = run_to_end(Stage(sandbox, _launch(source, name, *args), compiling=False))
    argv = [name, *args]
    said = f"/work/{name} {argv} {['-u', *argv]}\n{['-u', 'main.py', '']}\n"
    assert end == End(0, said.encode(), b"")


def test_output_has_room_for_two_pieces_and_errors_have_the_usual(keeper: Keeper) -> None:
    with _armed(keeper) as sandbox:
        assert fcntl.fcntl(sandbox.stdout, fcntl.F_GETPIPE_SZ) == PIPE_BYTES
        assert fcntl.fcntl(sandbox.stderr, fcntl.F_GETPIPE_SZ) == USUAL_PIPE_BYTES


def test_nobody_uses_the_processor_while_a_sandbox_waits(keeper: Keeper) -> None:
    with _armed(keeper) as sandbox:
        before = sum(sandbox.cpu_s())
        assert not select.select([sandbox.status, sandbox.stdout], [], [], QUIET_S)[0]
        assert sum(sandbox.cpu_s()) - before < IDLE_CPU_S


@pytest.mark.parametrize(
    "does", ["nothing", "an internet socket", "a netlink socket", "a process that is left"]
)
def test_nobody_uses_the_processor_while_a_program_waits(does: str, keeper: Keeper) -> None:
    begin = (UNTOUCHED | TOUCHED)[does]
    source = f"{begin}import os; os.write(1, b'there')\ninput()\n"
    with _armed(keeper) as sandbox:
        sandbox.launch(_launch(source))
        assert _read(sandbox) == b"there"
        before = sum(sandbox.cpu_s())
        assert not select.select([sandbox.status, sandbox.stdout], [], [], QUIET_S)[0]
        assert sum(sandbox.cpu_s()) - before < IDLE_CPU_S
        sandbox.close_stdin()
        assert select.select([sandbox.status], [], [], PATIENCE_S)[0]
