"""No keyring of anybody else's: keys are found through them from every process of a session."""

from __future__ import annotations

from dcodex_worker.sandbox import kernel
from dcodex_worker.sandbox.errand import SUCCESS, WHATEVER, Errand, Number

_GET_KEYRING_ID = 0
_JOIN_SESSION_KEYRING = 1
_PROCESS_KEYRING = -2


def plan(errand: Errand, lenient: bool) -> None:
    """Exchange this process's session keyring for a new, empty one that has no name.

    As root, whose quota of keys is large enough for what the kernel frees late. A kernel without
    keyrings has none to leave. lenient: whether to go on where that is refused.
    """
    if kernel.offers(Number.KEYCTL, _GET_KEYRING_ID, _PROCESS_KEYRING, 0):
        expected = WHATEVER if lenient else SUCCESS
        errand.call(Number.KEYCTL, _JOIN_SESSION_KEYRING, 0, result=expected)
