"""One execution's stream between the caller and the coordinator (pure).

Messages from the coordinator and words from the caller go in; events for the caller come out of
next_event(), messages for the coordinator out of take_commands(). It holds both windows:

- output: the worker may have a window under way; what the caller has taken is given back in
  Credits of half the first window, so that a steady reader costs few messages and the worker
  always has the other half to go on with. A caller that has read a lot may get a wider one, which
  Credits then open;
- stdin: STDIN_WINDOW_BYTES may be under way; what does not fit waits here, and whoever reads the
  caller's stream stops reading while `stdin_blocked`.

Chunks of one stream that wait for a slower reader are joined, up to half the first window.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dcodex_gateway.replies import check_finished
from dcodex_shared.errors import Reason, Rejected, RemoteProtocolError
from dcodex_shared.limits import KIB, MAX_CHUNK_BYTES, MIB, STDIN_WINDOW_BYTES
from dcodex_shared.messages import (
    Cancel,
    Credit,
    Finished,
    Message,
    Output,
    Payload,
    Queued,
    Refused,
    Signal,
    Started,
    Stdin,
    StdinClose,
    StdinCredit,
    Stream,
)
from dcodex_shared.program import unpack_records

#: The largest piece of output for a caller: a message costs as much as copying this.
CALLERS_PIECE_BYTES = 256 * KIB
#: A caller that has taken less between two widenings may have read nothing: on its side gRPC alone
#: takes several megabytes for a reader that has stopped.
READ_LEAST_BYTES = 8 * MIB

Command = tuple[Message, bytes]


@dataclass(slots=True)
class Chunk:
    """A piece of output for the caller."""

    stream: Stream
    size: int
    parts: list[Payload] = field(default_factory=list)

    def take(self) -> list[Payload]:
        """Its bytes, in pieces, which it no longer holds from here on."""
        parts, self.parts = self.parts, []
        return parts


Event = Chunk | Queued | Started | Finished | Rejected


class Exchange:
    """One stream's state."""

    def __init__(
        self,
        execution_id: str,
        window_bytes: int,
        stdin_complete: bool,
        widen: Callable[[], int] = lambda: 0,
    ) -> None:
        """window_bytes: the first window; widen: asks for a wider one, by so many bytes it is."""
        self.execution_id = execution_id
        self._first_bytes = self._window_bytes = window_bytes
        self._widen = widen
        #: Output that was given back since the window had this width.
        self._read = 0
        #: The largest chunk: a reader holds up what is being written to it, and gRPC's copies.
        self._chunk_bytes = max(1, min(CALLERS_PIECE_BYTES, window_bytes // 2))
        #: Finished, Refused, lost or cancelled: nothing more goes to the coordinator.
        self.ended = False
        #: For the caller, in order; the bytes in it never exceed the window but for Finished's.
        self._events: deque[Event] = deque()
        #: For the coordinator, in order; emptied by take_commands().
        self._commands: list[Command] = []
        #: Output received and not yet given back, in bytes; at most the window.
        self._held = 0
        #: Of `_held`, what the caller has taken.
        self._taken = 0
        self._started = False
        #: stdin sent and not yet taken by the program, in bytes; at most STDIN_WINDOW_BYTES.
        self._stdin_sent = 0
        #: stdin that does not fit into the window; not empty exactly while `stdin_blocked`.
        self._stdin_waiting = memoryview(b"")
        self._stdin_closed = stdin_complete

    # --- from the coordinator ----------------------------------------------------------------

    def receive(self, message: Message, payload: Payload) -> None:
        """Take in a message about this execution; raises RemoteProtocolError where it is wrong."""
        if self.ended:
            return
        match message:
            case Output():
                self._hold(len(payload))
                self._push(stream_of(message), payload)
            case StdinCredit(count=count):
                # A peer cannot widen the window by giving back what it never got.
                self._stdin_sent -= min(max(count, 0), self._stdin_sent)
                self._flush_stdin()
            case Finished():
                # Checked before anything is changed: a bad answer is dropped as a whole.
                check_finished(message)
                records = unpack_records(payload)
                self._end()
                for stream, data in records:
                    self._push(stream, data)
                self._events.append(message)
            case Refused():
                self._end()
                self._events.append(refusal(message))
            case Queued():
                if self._started:
                    return
                # The newest position is the only one that matters to a slow reader.
                if self._events and isinstance(self._events[-1], Queued):
                    self._events.pop()
                self._events.append(message)
            case Started():
                if not self._started:
                    self._started = True
                    self._events.append(message)
            case _:
                raise RemoteProtocolError(f"{type(message).__name__} is not for a gateway")

    def lost(self, why: Rejected) -> None:
        """The coordinator is gone; what it had sent is still delivered."""
        if not self.ended:
            self._end()
            self._events.append(why)

    # --- for the caller ----------------------------------------------------------------------

    def next_event(self) -> Event | None:
        """What the caller is to be told next; None: nothing yet."""
        return self._events.popleft() if self._events else None

    def took(self, count: int) -> None:
        """The caller has taken this many bytes of output."""
        self._taken += count
        # Half the first window even when it is wider: whoever is too old to know of that has no
        # other, and would wait for ever.
        if not self.ended and self._taken * 2 >= self._first_bytes:
            self._held -= self._taken
            self._read += self._taken
            credit, self._taken = self._taken, 0
            reads_a_lot = self._read >= max(self._window_bytes, READ_LEAST_BYTES)
            if reads_a_lot and (more := self._widen()):
                self._window_bytes += more
                self._read = 0
                credit += more
            self._commands.append((Credit(self.execution_id, credit), b""))

    # --- from the caller ---------------------------------------------------------------------

    @property
    def stdin_blocked(self) -> bool:
        """Whether to read no more of the caller's stream for now."""
        return len(self._stdin_waiting) > 0

    def push_stdin(self, data: bytes) -> None:
        """The caller wrote to stdin; not to be called while `stdin_blocked`."""
        assert not self.stdin_blocked
        if self._stdin_closed:
            raise Rejected(Reason.INVALID_ARGUMENT, "stdin: came after stdin was closed")
        if not self.ended:
            self._stdin_waiting = memoryview(data)
            self._flush_stdin()

    def close_stdin(self) -> None:
        """The caller closed stdin, in words or by half-closing; the second time means nothing."""
        assert not self.stdin_blocked
        if not self._stdin_closed:
            self._stdin_closed = True
            self._command(StdinClose(self.execution_id))

    def signal(self, number: int) -> None:
        """The caller sends the program a signal."""
        if not 1 <= number <= 31:
            raise Rejected(Reason.INVALID_ARGUMENT, f"signal: must be 1 to 31, got {number}")
        self._command(Signal(self.execution_id, number))

    def fail(self, why: Rejected) -> None:
        """Stop the program and tell the caller why, before anything else that waits."""
        self.cancel(why.message)
        self._events.clear()
        self._events.append(why)

    def cancel(self, reason: str) -> None:
        """The caller is gone; nothing more is owed to it."""
        if not self.ended:
            self._command(Cancel(self.execution_id, reason))
            self._end()

    # --- for the coordinator -----------------------------------------------------------------

    def take_commands(self) -> Sequence[Command]:
        """What to send to the coordinator now, in order."""
        if not self._commands:
            return ()
        commands, self._commands = self._commands, []
        return commands

    # --- inside ------------------------------------------------------------------------------

    def _command(self, message: Message, payload: bytes = b"") -> None:
        if not self.ended:
            self._commands.append((message, payload))

    def _end(self) -> None:
        self.ended = True
        self._stdin_waiting = memoryview(b"")

    def _hold(self, size: int) -> None:
        if self._held + size > self._window_bytes:
            raise RemoteProtocolError(f"output of {size} bytes beyond the window")
        self._held += size

    def _push(self, stream: Stream, data: Payload) -> None:
        if not data:
            return
        last = self._events[-1] if self._events else None
        if (
            isinstance(last, Chunk)
            and last.stream is stream
            and last.size + len(data) <= self._chunk_bytes
        ):
            last.parts.append(data)
            last.size += len(data)
            return
        for start in range(0, len(data), self._chunk_bytes):
            piece = data[start : start + self._chunk_bytes]
            self._events.append(Chunk(stream, len(piece), [piece]))

    def _flush_stdin(self) -> None:
        while self._stdin_waiting and self._stdin_sent < STDIN_WINDOW_BYTES:
            room = min(STDIN_WINDOW_BYTES - self._stdin_sent, MAX_CHUNK_BYTES)
            piece = bytes(self._stdin_waiting[:room])
            self._stdin_waiting = self._stdin_waiting[room:]
            self._stdin_sent += len(piece)
            self._command(Stdin(self.execution_id), piece)


def refusal(message: Refused) -> Rejected:
    """What the coordinator's Refused means to a caller."""
    try:
        reason = Reason(message.reason)
    except ValueError:
        reason = Reason.INTERNAL
    return Rejected(reason, message.message, max(message.retry_after_s, 0.0))


def stream_of(message: Output) -> Stream:
    """Which of the program's outputs it is a piece of; raises RemoteProtocolError for none."""
    try:
        return Stream(message.stream)
    except ValueError:
        raise RemoteProtocolError(f"no output stream {message.stream}") from None
