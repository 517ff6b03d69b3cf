"""What a blocking execution still has to send: a bounded queue between caller and gRPC's thread."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator

from dcodex_proto.v1 import executor_pb2 as pb

#: Messages that may wait; with 64 KiB each a megabyte. Then the sender waits for the program.
CAPACITY = 16


class Outbox:
    """Messages go in by put() and come out by iteration, which gRPC does on a thread of its own."""

    def __init__(self, first: pb.ExecuteRequest) -> None:
        self._changed = threading.Condition()
        #: At most CAPACITY messages, oldest first.
        self._waiting: deque[pb.ExecuteRequest] = deque([first])
        #: No more will be put; what waits is still sent.
        self._closed = False
        #: The call is over: nothing is sent any more.
        self._over = False

    def put(self, message: pb.ExecuteRequest) -> bool:
        """Queue a message, waiting for room; False once the call is over or was closed."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._waiting) < CAPACITY or self._over)
            if self._over or self._closed:
                return False
            self._waiting.append(message)
            self._changed.notify_all()
            return True

    def is_over(self) -> bool:
        """Whether the call has ended."""
        return self._over

    def close(self) -> None:
        """Half-close after what waits."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def end(self) -> None:
        """The call is over: wake everyone."""
        with self._changed:
            self._over = True
            self._waiting.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[pb.ExecuteRequest]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed or self._over)
                if self._over or not self._waiting:
                    return
                message = self._waiting.popleft()
                self._changed.notify_all()
            yield message
