"""When certificates end, read from their own bytes (pure).

The standard library tells it of certificates that it trusts alone, and the ones in question here
are those that may no longer be.
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.S)

_SEQUENCE = 0x30
_VERSION = 0xA0
_UTC_TIME = 0x17
_GENERALIZED_TIME = 0x18


class NotACertificate(ValueError):
    """The bytes are none."""


def ends_of_pem(data: bytes) -> list[float]:
    """When each certificate of a PEM file ends, in seconds since 1970."""
    try:
        ders = [base64.b64decode(match[1]) for match in _PEM.finditer(data)]
    except binascii.Error:
        raise NotACertificate("not PEM") from None
    if not ders:
        raise NotACertificate("no certificate in it")
    return [end_of_der(der) for der in ders]


def end_of_der(data: bytes) -> float:
    """When a certificate ends, in seconds since 1970.

    Certificate ::= SEQUENCE { SEQUENCE { [0] version?, serial, algorithm, issuer,
    SEQUENCE { notBefore, notAfter }, ... }, ... }
    """
    _, start, _ = _element(data, 0, _SEQUENCE)
    _, at, _ = _element(data, start, _SEQUENCE)
    tag, _, end = _element(data, at)
    if tag == _VERSION:
        at = end
    for _ in range(3):
        _, _, at = _element(data, at)
    _, at, _ = _element(data, at, _SEQUENCE)
    _, _, at = _element(data, at)
    tag, start, end = _element(data, at)
    return _time(tag, data[start:end])


def _element(data: bytes, at: int, expected: int | None = None) -> tuple[int, int, int]:
    """Tag, start and end of the contents of the element at this place."""
    if at + 2 > len(data):
        raise NotACertificate("it breaks off")
    tag, length, start = data[at], data[at + 1], at + 2
    if length >= 0x80:
        size = length & 0x7F
        if not 1 <= size <= 4 or start + size > len(data):
            raise NotACertificate("a length makes no sense")
        length, start = int.from_bytes(data[start : start + size]), start + size
    if start + length > len(data):
        raise NotACertificate("it breaks off")
    if expected is not None and tag != expected:
        raise NotACertificate(f"tag {tag:#x} where {expected:#x} was expected")
    return tag, start, start + length


def _time(tag: int, text: bytes) -> float:
    form = {_UTC_TIME: "%y%m%d%H%M%SZ", _GENERALIZED_TIME: "%Y%m%d%H%M%SZ"}.get(tag)
    if form is None:
        raise NotACertificate(f"tag {tag:#x} where a time was expected")
    try:
        read = datetime.strptime(text.decode("ascii"), form).replace(tzinfo=UTC)
    except ValueError:
        raise NotACertificate(f"no time: {text!r}") from None
    # X.509 counts the two digits of a year from 1950, Python from 1969.
    if tag == _UTC_TIME and read.year >= 2050:
        read = read.replace(year=read.year - 100)
    return read.timestamp()
