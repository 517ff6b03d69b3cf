"""How a caller reaches the service: target, TLS, token, channel options."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from grpc import aio

from dcodex.replies import parse_event
from dcodex_proto.v1 import executor_pb2 as pb

#: Where `dcodex up` serves unless told otherwise.
DEFAULT_TARGET = "localhost:50051"
#: A Run reply holds a whole run's output in one message; the service bounds it below this.
MAX_REPLY_BYTES = 64 * 1024 * 1024

_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_REPLY_BYTES),
    # Clients of two farms in one process must not share a connection by accident of address.
    ("grpc.use_local_subchannel_pool", 1),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TLS:
    """Certificates, as paths of PEM files; what is left out comes from the system.

    >>> TLS(ca="farm-ca.pem", certificate="me.pem", key="me.key").ca
    'farm-ca.pem'
    """

    #: Who may have signed the service's certificate.
    ca: str | os.PathLike[str] | None = None
    #: This caller's own, where the service asks for one (mutual TLS).
    certificate: str | os.PathLike[str] | None = None
    key: str | os.PathLike[str] | None = None


def open_channel(target: str, tls: TLS | bool) -> grpc.Channel:
    """A channel for blocking calls; it connects when first used."""
    if tls is False:
        return grpc.insecure_channel(target, _OPTIONS)
    return grpc.secure_channel(target, _credentials(tls), _OPTIONS)


def open_async_channel(target: str, tls: TLS | bool) -> aio.Channel:
    """A channel for asyncio; it connects when first used."""
    if tls is False:
        return aio.insecure_channel(target, _OPTIONS)
    return aio.secure_channel(target, _credentials(tls), _OPTIONS)


def execute_method(channel: Any) -> Any:
    """Execute of either kind of channel, whose events are for replies.read_event()."""
    # Any: grpc's stubs have no type for what its two kinds of channels have in common.
    service = pb.DESCRIPTOR.services_by_name["Executor"].full_name
    return channel.stream_stream(
        f"/{service}/Execute",
        request_serializer=pb.ExecuteRequest.SerializeToString,
        response_deserializer=parse_event,
    )


def metadata_for(token: str | None) -> tuple[tuple[str, str], ...]:
    """What goes with every call."""
    return (("authorization", f"Bearer {token}"),) if token else ()


#: Goes with a call whose way through the service is to be stamped.
TRACE_METADATA = (("dcodex-trace", "1"),)


def _credentials(tls: TLS | bool) -> grpc.ChannelCredentials:
    files = tls if isinstance(tls, TLS) else TLS()
    return grpc.ssl_channel_credentials(
        root_certificates=_read(files.ca),
        private_key=_read(files.key),
        certificate_chain=_read(files.certificate),
    )


def _read(path: str | os.PathLike[str] | None) -> bytes | None:
    return None if path is None else Path(path).read_bytes()
