"""Who may connect over TCP: answers libzmq's question for each new connection (ZAP, RFC 27).

The list is asked anew each time, so that a key taken out is out at once. A key is let in where
it is listed: a gateway's does not open the workers' socket, nor a host's the gateways'.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence

import zmq
from zmq.utils import z85

from dcodex_shared.keys import KeyPair

log = logging.getLogger(__name__)

#: Requests answered per turn: handshakes are few, and a flood of them must not starve the rest.
ANSWER_MOST = 32
#: Whoever is turned away comes back at once: the log gets one line in this time, in seconds.
COMPLAIN_EVERY_S = 1.0

ZAP_ENDPOINT = "inproc://zeromq.zap.01"
_ZAP_VERSION = b"1.0"

#: Public keys by side, as AllowedKeys.read() gives them.
Allowed = Mapping[str, frozenset[bytes]]


def use_as_server(socket: zmq.Socket[bytes], own: KeyPair, side: str) -> None:
    """Encrypt this socket's connections; call before bind(), after a Gatekeeper was made.

    side: whom it awaits, one of keys.SIDES: the keys of the others are not let in.
    """
    socket.curve_publickey = own.public
    socket.curve_secretkey = own.secret
    socket.curve_server = True
    # Without a domain, libzmq would let anyone in whose handshake is right.
    socket.setsockopt_string(zmq.ZAP_DOMAIN, side)
    socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)


class Gatekeeper:
    """Answers libzmq's question, for each new connection of a context, whether to let it in.

    It is asked over a socket (ZAP, RFC 27) that stands in the loop of its owner: poll `socket`
    and call answer() when it is readable. While nobody answers, nobody gets in.
    """

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        allowed: Callable[[], Allowed],
    ) -> None:
        """allowed: the public keys that are let in now, by side; asked for each connection."""
        self._allowed = allowed
        self.socket: zmq.Socket[bytes] = context.socket(zmq.ROUTER)
        self.socket.linger = 0
        self.socket.bind(ZAP_ENDPOINT)
        #: Connections turned away.
        self.refused = 0
        #: Before this time no refusal is logged.
        self._quiet_until = 0.0

    def answer(self) -> None:
        """Answer every question that waits, ANSWER_MOST at the most."""
        for _ in range(ANSWER_MOST):
            try:
                frames = self.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            split = frames.index(b"") + 1 if b"" in frames else len(frames)
            envelope, question = frames[:split], frames[split:]
            reply = zap_reply(question, self._allowed())
            if reply[2] != b"200":
                self.refused += 1
                self._complain(question, reply[3].decode())
            self.socket.send_multipart([*envelope, *reply])

    def close(self) -> None:
        """Let nobody in any more."""
        self.socket.close(linger=0)

    def _complain(self, question: Sequence[bytes], reason: str) -> None:
        now = time.monotonic()
        if now < self._quiet_until:
            return
        self._quiet_until = now + COMPLAIN_EVERY_S
        # The handshake has proved that the key is the peer's: it tells an operator whose it is.
        address = question[3].decode(errors="replace") if len(question) > 3 else "?"
        shown = len(question) == 7 and len(question[6]) == 32
        key = z85.encode(question[6]).decode() if shown else "none"
        log.warning("turned a peer away address=%s key=%s reason=%s", address, key, reason)


def zap_reply(question: Sequence[bytes], allowed: Allowed) -> list[bytes]:
    """The answer to one ZAP request (pure): 200 for a CURVE key listed for its side, else 400."""
    if len(question) < 6 or question[0] != _ZAP_VERSION:
        return [_ZAP_VERSION, b"", b"500", b"not a ZAP request", b"", b""]
    request_id, mechanism = question[1], question[5]
    if mechanism != b"CURVE" or len(question) != 7 or len(question[6]) != 32:
        return [_ZAP_VERSION, request_id, b"400", b"not a CURVE key", b"", b""]
    key = z85.encode(question[6])
    # The domain is our own socket's. Public keys are no secret: a look-up gives nothing away.
    side = question[2].decode(errors="replace")
    if key not in allowed.get(side, frozenset()):
        elsewhere = any(key in keys for keys in allowed.values())
        reason = f"key not listed for {side}" if elsewhere else "key not in the list"
        return [_ZAP_VERSION, request_id, b"400", reason.encode(), b"", b""]
    return [_ZAP_VERSION, request_id, b"200", b"", key, b""]
