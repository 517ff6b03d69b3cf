"""Has gRPC read and write its sockets on the thread that waits for it; to be imported before gRPC.

By default gRPC 1.85 has threads of its own for its sockets (its "event engine"), which wake the
thread that grpc.aio waits on, which wakes the event loop. Without them it is that second thread
that reads: one thread less to be woken for every message, and each waking costs more than the
reading. gRPC versions that know no other way ignore this.
"""

from __future__ import annotations

import os

#: Read once, when gRPC is loaded; an operator's own is left as it is.
os.environ.setdefault("GRPC_EXPERIMENTS", "-event_engine_listener")
