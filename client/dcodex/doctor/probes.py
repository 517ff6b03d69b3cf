"""Asks a farm what it can be asked: its ports, its health, its languages, its programs."""

from __future__ import annotations

import argparse
import email.utils
import http.client
import secrets
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
from grpc_health.v1 import health_pb2
from prometheus_client.parser import text_string_to_metric_families

import dcodex
from dcodex.channels import open_channel
from dcodex.command.connection import tls_of
from dcodex.doctor.judge import Page, Trial
from dcodex.doctor.programs import GREETING, PROGRAMS
from dcodex.values import FarmSnapshot, Finished, Stdout, Verdict

#: For an answer that needs no worker, in seconds.
ANSWER_S = 5.0
#: For a program: a busy farm's queue and a slow compiler, in seconds.
PROGRAM_S = 60.0
#: A page of metrics is some tens of kilobytes.
PAGE_BYTES_MOST = 8 << 20


class Unreachable(Exception):
    """The gateway cannot be talked to: what was found, and what to do."""

    def __init__(self, text: str, remedy: str) -> None:
        super().__init__(text)
        self.text = text
        self.remedy = remedy


@contextmanager
def channel(arguments: argparse.Namespace) -> Iterator[grpc.Channel]:
    """A standing connection to the gateway, or Unreachable."""
    target = arguments.target
    host, port = split_target(target)
    if host:
        try:
            socket.create_connection((host, port), ANSWER_S).close()
        except OSError as error:
            raise Unreachable(
                f"nobody answers at {target}: {error.strerror or error}",
                "start a gateway (`dcodex up`, `systemctl start dcodex-gateway`), or say where "
                "it is: --target HOST:PORT",
            ) from None
    with open_channel(target, tls_of(arguments)) as opened:
        try:
            grpc.channel_ready_future(opened).result(ANSWER_S)
        except grpc.FutureTimeoutError:
            raise Unreachable(
                f"{target} takes connections, but no gRPC came of it",
                "TLS on one side alone, or a certificate that is not trusted: --tls, --ca, --cert; "
                "else something other than a gateway serves there",
            ) from None
        yield opened


def split_target(target: str) -> tuple[str, int]:
    """HOST:PORT as two; an empty host where it is something else, a Unix socket."""
    host, _, port = target.rpartition(":")
    if not port.isdecimal() or "/" in host:
        return "", 0
    return host.strip("[]"), int(port)


def served_certificate(arguments: argparse.Namespace) -> bytes:
    """The certificate that the gateway shows, DER, whether it is trusted or not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    # It is looked at, not believed: whether it is trusted is gRPC's to say.
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    if arguments.cert:
        context.load_cert_chain(arguments.cert, arguments.key)
    host, port = split_target(arguments.target)
    with (
        socket.create_connection((host, port), ANSWER_S) as raw,
        context.wrap_socket(raw, server_hostname=host) as wrapped,
    ):
        return wrapped.getpeercert(binary_form=True) or b""


def health(opened: grpc.Channel) -> str:
    """What grpc.health.v1 says of the gateway as a whole; empty: it is not there."""
    check = opened.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
        response_deserializer=health_pb2.HealthCheckResponse.FromString,
    )
    try:
        reply = check(health_pb2.HealthCheckRequest(), timeout=ANSWER_S)
    except grpc.RpcError:
        return ""
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(reply.status))


def farm(client: dcodex.Client) -> FarmSnapshot:
    """The farm now; raises DCodeXError."""
    snapshots = client.farm(timeout_s=ANSWER_S)
    try:
        return next(snapshots)
    finally:
        snapshots.close()  # type: ignore[attr-defined] # it is a generator


def attempt(client: dcodex.Client, language: str) -> Trial:
    """Run a program that must be talked to while it runs."""
    began = time.monotonic()
    first_s = 0.0
    error = ""
    word = secrets.token_hex(8).encode() + b"\n"
    try:
        with client.execute(
            PROGRAMS[language], language=language, cache=False, timeout_s=PROGRAM_S
        ) as execution:
            seen, told = b"", False
            for event in execution:
                if isinstance(event, Stdout):
                    first_s = first_s or time.monotonic() - began
                    seen += event.data
                    if seen == GREETING and not told:
                        told = execution.send_stdin(word)
            error = _complaint(execution.finished, seen, GREETING + word)
    except dcodex.DCodeXError as failure:
        error = f"{type(failure).__name__}: {_first_line(str(failure))}"
    return Trial(language, error, first_s, time.monotonic() - began)


def _complaint(finished: Finished | None, seen: bytes, wanted: bytes) -> str:
    if finished is None:
        return "the stream ended without saying how the program ended"
    if finished.verdict is not Verdict.OK:
        said = _first_line(finished.message) or f"having said {seen[:100]!r}"
        return f"{finished.verdict.name}: {said}"
    return "" if seen == wanted else f"it said {seen[:100]!r} where {wanted!r} was due"


def _first_line(text: str) -> str:
    return text.partition("\n")[0][:200]


def page(address: str) -> Page:
    """What the process at this HTTP port says of itself."""
    try:
        _, metrics, headers = _get(address, "/metrics")
        healthy = _get(address, "/healthz")[0] == http.HTTPStatus.OK
        ready = _get(address, "/readyz")[0] == http.HTTPStatus.OK
        labels = _build_info(metrics)
    except (OSError, ValueError, http.client.HTTPException) as error:
        words = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return Page(address, words)
    return Page(
        address,
        "",
        healthy,
        ready,
        labels.get("process", ""),
        labels.get("version", ""),
        labels.get("protocol", ""),
        _skew_s(headers.get("Date", "")),
    )


def _get(address: str, path: str) -> tuple[int, str, http.client.HTTPMessage]:
    connection = http.client.HTTPConnection(address, timeout=ANSWER_S)
    try:
        connection.request("GET", path)
        reply = connection.getresponse()
        return reply.status, reply.read(PAGE_BYTES_MOST).decode(), reply.headers
    finally:
        connection.close()


def _build_info(metrics: str) -> dict[str, str]:
    for family in text_string_to_metric_families(metrics):
        if family.name == "dcodex_build_info":
            for sample in family.samples:
                return dict(sample.labels)
    return {}


def _skew_s(date: str) -> float | None:
    try:
        there = email.utils.parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError):
        return None
    # The wall clock is what is asked about here.
    return there - time.time()
