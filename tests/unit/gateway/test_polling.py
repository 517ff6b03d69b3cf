"""What the gateway's process tells gRPC before it is loaded."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

#: What gRPC finds in the environment at the moment in which something imports it.
_FINDS = """
import os, sys
class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "grpc":
            print(os.environ["GRPC_EXPERIMENTS"])
            sys.exit()
sys.meta_path.insert(0, Watch())
import dcodex_gateway.process
"""


@pytest.mark.parametrize(
    ("given", "found"), [({}, "-event_engine_listener"), ({"GRPC_EXPERIMENTS": "mine"}, "mine")]
)
def test_grpc_finds_how_it_is_to_wait_unless_the_operator_says_otherwise(
    given: dict[str, str], found: str
) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "GRPC_EXPERIMENTS"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", _FINDS],
        env=environment | given,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == found
