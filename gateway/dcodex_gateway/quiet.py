"""Keeps what callers can make gRPC itself say out of the log; to be imported before gRPC.

Its core writes lines of its own form to stderr about each malformed frame, and its Python part
logs headers that are no text, a token perhaps, and callers that leave, with a traceback each.
None of it is the operator's to act on: the calls have ended, and are counted.
"""

from __future__ import annotations

import logging
import os

#: Read once, when gRPC is loaded; an operator who looks for a fault of gRPC's sets another.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

_NOISE = (
    # A header that is no text.
    "Invalid encoding on",
    # The caller left at the moment in which its call's end was to be sent.
    "ExecuteBatchError raised in core by servicer method",
)


def _is_ours_to_see(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith(_NOISE)


logging.getLogger("grpc._cython.cygrpc").addFilter(_is_ours_to_see)
