"""What is done to a farm ends when it is to end."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from random import Random

from tests.chaos.faults import Fault, Hand
from tests.chaos.parts import Role

PATIENCE_S = 30.0


def test_what_was_stopped_in_the_last_moment_goes_on_too(tmp_path: Path) -> None:
    # Anything with this name among its words, whose parent is the one that is asked about.
    script = "print(flush=True); input(); print('went on')"
    command = [sys.executable, "-c", script, "dcodex_gateway"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()

        async def stop_and_let_go() -> bool:
            deeds: list[str] = []
            hand = Hand(os.getpid(), tmp_path, deeds, Random(1))
            done = await hand.act(Fault("stop", Role.GATEWAY, 1))
            hand.let_go()
            return done and deeds[0].endswith(f"stop_gateway pid={child.pid}")

        try:
            assert asyncio.run(stop_and_let_go())
            assert child.communicate(b"\n", PATIENCE_S)[0] == b"went on\n"
        finally:
            child.kill()
