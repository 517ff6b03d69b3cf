"""The codec against frames of an enemy: a message or the peer's fault, and nothing else."""

from __future__ import annotations

import contextlib
import time
from random import Random

from tests.fuzz.frames import Frames

from dcodex_gateway.replies import check_finished
from dcodex_shared.errors import RemoteProtocolError
from dcodex_shared.farm import unpack_farm
from dcodex_shared.messages import Finished
from dcodex_shared.program import unpack_program, unpack_records
from dcodex_shared.wire import decode, encode

#: Made once and bent over and over: making them costs more than decoding them.
_POOL = 4000


def fuzz(seed: int, seconds: float) -> int:
    """Decode for so long; returns how many frames, or raises what must not be raised."""
    rng = Random(seed)
    frames = Frames(rng)
    count = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for given in [frames.fresh() for _ in range(_POOL)]:
            count += len(given)
            _decode(given)
            # Each once more with a byte changed, which is where parsers fail.
            header = bytearray(given[0])
            for _ in range(8):
                if header:
                    header[rng.randrange(len(header))] = rng.randrange(256)
                count += len(given)
                _decode([bytes(header), *given[1:]])
            for unpack in (unpack_program, unpack_records, unpack_farm):
                count += 1
                with contextlib.suppress(RemoteProtocolError):
                    unpack(given[-1] if rng.random() < 0.5 else bytes(header))
    return count


def _decode(given: list[bytes]) -> None:
    try:
        message, payload = decode(given)
    except RemoteProtocolError:
        return
    # What passed is whole: it can be sent on, and says the same.
    again = encode(message, payload)
    assert decode(again)[0] == message
    if isinstance(message, Finished):
        with contextlib.suppress(RemoteProtocolError):
            check_finished(message)
