"""Who may come in: TLS, certificates, tokens and quotas towards callers; CURVE inside."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tests.integration.gateway_peer import LANGUAGES, PATIENCE_S, GatewayProcess, Peer, finished

from dcodex_gateway.server import Gateway
from dcodex_gateway.session import REGREET_S
from dcodex_gateway.tokens import hash_token
from dcodex_proto.v1 import executor_pb2 as pb
from dcodex_proto.v1.executor_pb2_grpc import ExecutorStub
from dcodex_shared.config import ConfigError, GatewaySettings, parse_settings
from dcodex_shared.keys import AllowedKeys, KeyPair, load_pair, make_keys
from dcodex_shared.messages import Hello, Signal, StdinClose, Stream, Submit

START = pb.Start(language="python", source=b"x")


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


def gateway(stack: ExitStack, *flags: str) -> tuple[GatewayProcess, Peer]:
    process = GatewayProcess(*flags)
    stack.callback(process.stop)
    peer = Peer(process.endpoint)
    stack.callback(peer.close)
    peer.meet()
    process.await_log("languages=cpp")
    return process, peer


def insecure(stack: ExitStack, process: GatewayProcess) -> ExecutorStub:
    channel = grpc.insecure_channel(process.target)
    stack.callback(channel.close)
    return ExecutorStub(channel)


def failure(call: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as error:
        call.result()
    return error.value.code(), error.value.details() or ""


# --- tokens ----------------------------------------------------------------------------------

TOKENS = f"""
[[token]]
tenant = "alice"
sha256 = "{hash_token("alice's")}"
weight = 3
[token.ceiling]
wall_s = "2s"

[[token]]
tenant = "bob"
sha256 = "{hash_token("bob's")}"
concurrency = 1
"""


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    path = tmp_path / "tokens.toml"
    path.write_text(TOKENS)
    return path


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


def run(native: ExecutorStub, token: str = "", start: pb.Start = START) -> Any:
    metadata = bearer(token) if token else ()
    return native.Run.future(start, timeout=PATIENCE_S, metadata=metadata)


def test_a_token_names_the_tenant_its_weight_and_its_ceiling(
    stack: ExitStack, tokens: Path
) -> None:
    process, peer = gateway(stack, f"--tokens={tokens}")
    native = insecure(stack, process)
    call = run(native, "alice's")
    submit, _ = peer.answer([(Stream.STDOUT, b"hers")])
    assert (submit.tenant, submit.tenant_weight, submit.wall_limit_s) == ("alice", 3.0, 2.0)
    assert call.result().stdout == b"hers"
    long = pb.Start(language="python", source=b"x", limits=pb.Limits(wall_s=3.0))
    status, words = failure(run(native, "alice's", long))
    assert status is grpc.StatusCode.INVALID_ARGUMENT
    assert "at most 2.0" in words
    metadata = (("authorization", "bearer alice's"),)
    reply = native.Languages(pb.LanguagesRequest(), timeout=PATIENCE_S, metadata=metadata)
    assert reply.languages[0].ceiling.wall_s == 2.0


def test_a_tenant_can_signal_its_own_programs_alone(stack: ExitStack, tokens: Path) -> None:
    process, peer = gateway(stack, f"--tokens={tokens}")
    native = insecure(stack, process)
    start = pb.ExecuteRequest(start=pb.Start(language="python", source=b"x", execution_id="one"))
    call = native.Execute(iter([start]), timeout=PATIENCE_S, metadata=bearer("alice's"))
    assert next(call).accepted.execution_id == "one"
    submit, _ = peer.expect(Submit)
    # The iterator's end is the stream's half-close.
    peer.expect(StdinClose)
    request = pb.SignalRequest(execution_id="one", signal=15)
    for metadata, code in (
        (bearer("bob's"), grpc.StatusCode.NOT_FOUND),
        ((), grpc.StatusCode.UNAUTHENTICATED),
    ):
        assert failure(native.Signal.future(request, PATIENCE_S, metadata))[0] is code
    native.Signal(request, timeout=PATIENCE_S, metadata=bearer("alice's"))
    assert peer.expect(Signal)[0] == Signal(submit.execution_id, 15)
    peer.send(finished(submit.execution_id))
    list(call)


@pytest.mark.parametrize("token", ["", "carol's", "alice's "[:-2], "x" * 5000])
def test_whoever_has_no_token_of_ours_is_nobody(stack: ExitStack, tokens: Path, token: str) -> None:
    process, _ = gateway(stack, f"--tokens={tokens}")
    native = insecure(stack, process)
    status, words = failure(run(native, token))
    assert status is grpc.StatusCode.UNAUTHENTICATED
    assert "token" in words
    metadata = bearer(token)
    calls: list[Any] = [
        native.Languages.future(pb.LanguagesRequest(), timeout=PATIENCE_S, metadata=metadata),
        native.Farm(pb.FarmRequest(), timeout=PATIENCE_S, metadata=metadata),
        native.Execute(
            iter([pb.ExecuteRequest(start=START)]), timeout=PATIENCE_S, metadata=metadata
        ),
    ]
    for call in calls:
        assert failure(call)[0] is grpc.StatusCode.UNAUTHENTICATED
    # Probes have no token.
    health: Any = health_pb2_grpc.HealthStub(grpc.insecure_channel(process.target))
    assert health.Check(health_pb2.HealthCheckRequest(), timeout=PATIENCE_S).status == 1
    assert "alice's" not in process.log
    assert token == "" or token not in process.log


def test_a_quota_is_the_tenants_own_and_what_ends_makes_room(
    stack: ExitStack, tokens: Path
) -> None:
    process, peer = gateway(stack, f"--tokens={tokens}")
    native = insecure(stack, process)
    first = run(native, "bob's")
    submit, _ = peer.expect(Submit)
    second = run(native, "bob's")
    assert failure(second)[0] is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert any(key == "retry-after-ms" for key, _ in second.trailing_metadata())
    other = run(native, "alice's")
    peer.answer([])
    other.result()
    peer.send(finished(submit.execution_id))
    first.result()
    third = run(native, "bob's")
    peer.answer([])
    third.result()


def test_a_token_that_is_taken_out_is_out_without_a_restart(stack: ExitStack, tokens: Path) -> None:
    process, peer = gateway(stack, f"--tokens={tokens}")
    native = insecure(stack, process)
    call = run(native, "alice's")
    peer.answer([])
    call.result()
    tokens.write_text(TOKENS.replace(hash_token("alice's"), hash_token("alice's new one")))
    status = grpc.StatusCode.OK
    while status is not grpc.StatusCode.UNAUTHENTICATED:
        call = run(native, "alice's")
        if (received := peer.receive(0.1)) is not None:
            peer.send(finished(received[0].execution_id))  # type: ignore[union-attr] # a Submit
        status = call.code()
    call = run(native, "alice's new one")
    peer.answer([])
    call.result()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--host=0.0.0.0"], "--allow_anonymous"),
        (["--host=::"], "--allow_anonymous"),
        (["--tokens=/nowhere"], "cannot read /nowhere"),
        (["--tls_certificate=/nowhere"], "need each other"),
        (["--tls_certificate=/nowhere", "--tls_key=/nowhere"], "cannot read /nowhere"),
        (["--tls_client_ca=/nowhere"], "needs tls_certificate"),
        (["--key_file=/nowhere"], "need each other"),
        (["--gateway_endpoint=tcp://192.0.2.1:5000"], "dcodex keys new"),
    ],
)
def test_a_gateway_that_would_let_anyone_in_does_not_start(
    flags: list[str], words: str, tmp_path: Path
) -> None:
    argv = ["--port=0", f"--runtime_dir={tmp_path}", *flags]
    settings = parse_settings(GatewaySettings, argv, {}, "dcodex-gateway", "")
    with pytest.raises(ConfigError, match=words):
        Gateway(settings)


def test_an_operator_may_let_everyone_in(stack: ExitStack) -> None:
    process, peer = gateway(stack, "--host=0.0.0.0", "--allow_anonymous")
    call = run(insecure(stack, process))
    assert peer.answer([])[0].tenant == "anonymous"
    call.result()


# --- TLS -------------------------------------------------------------------------------------

needs_openssl = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="needs the openssl command to make certificates"
)


def certify(directory: Path, name: str, common_name: str) -> tuple[Path, Path]:
    """A self-signed certificate and its key, replaced at once where they exist."""
    certificate, key = directory / f"{name}.pem", directory / f"{name}.key"
    new = [path.with_suffix(path.suffix + ".new") for path in (certificate, key)]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", f"/CN={common_name}",
         "-addext", "subjectAltName=DNS:localhost",
         "-out", str(new[0]), "-keyout", str(new[1])],
        check=True, capture_output=True, timeout=PATIENCE_S,
    )  # fmt: skip
    new[0].rename(certificate)
    new[1].rename(key)
    return certificate, key


def secure(
    stack: ExitStack,
    process: GatewayProcess,
    roots: bytes,
    own: tuple[Path, Path] | None = None,
) -> ExecutorStub:
    pair = (own[1].read_bytes(), own[0].read_bytes()) if own else (None, None)
    credentials = grpc.ssl_channel_credentials(roots, *pair)
    channel = grpc.secure_channel(
        f"localhost:{process.port}", credentials, options=[("grpc.use_local_subchannel_pool", 1)]
    )
    stack.callback(channel.close)
    return ExecutorStub(channel)


@needs_openssl
def test_tls_is_spoken_and_a_new_certificate_needs_no_restart(
    stack: ExitStack, tmp_path: Path
) -> None:
    certificate, key = certify(tmp_path, "server", "first")
    process, peer = gateway(stack, f"--tls_certificate={certificate}", f"--tls_key={key}")
    first = certificate.read_bytes()
    native = secure(stack, process, first)
    call = run(native)
    peer.answer([(Stream.STDOUT, b"sealed")])
    assert call.result().stdout == b"sealed"
    assert failure(run(insecure(stack, process)))[0] is grpc.StatusCode.UNAVAILABLE
    # Half a replacement keeps the old one; the whole one is used from the next handshake on.
    certificate.write_bytes(b"half")
    certify(tmp_path, "server", "second")
    second = certificate.read_bytes()
    status = grpc.StatusCode.UNAVAILABLE
    while status is grpc.StatusCode.UNAVAILABLE:
        call = secure(stack, process, second).Languages.future(
            pb.LanguagesRequest(), timeout=PATIENCE_S
        )
        status = call.code()
    assert status is grpc.StatusCode.OK
    # Who is connected stays connected.
    call = run(native)
    peer.answer([])
    call.result()


@needs_openssl
def test_with_mutual_tls_the_certificate_names_the_tenant(stack: ExitStack, tmp_path: Path) -> None:
    certificate, key = certify(tmp_path, "server", "server")
    alice = certify(tmp_path, "alice", "alice")
    stranger = certify(tmp_path, "stranger", "alice")
    process, peer = gateway(
        stack,
        f"--tls_certificate={certificate}",
        f"--tls_key={key}",
        f"--tls_client_ca={alice[0]}",
    )
    roots = certificate.read_bytes()
    call = run(secure(stack, process, roots, alice))
    assert peer.answer([])[0].tenant == "alice"
    call.result()
    for own in (None, stranger):
        status, _ = failure(run(secure(stack, process, roots, own)))
        assert status is grpc.StatusCode.UNAVAILABLE


# --- CURVE -----------------------------------------------------------------------------------


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, KeyPair]:
    """A directory with keys for the coordinator and the gateway; the coordinator's pair."""
    pair_path, _ = make_keys(tmp_path, "coordinator")
    make_keys(tmp_path, "gateway")
    return tmp_path, load_pair(pair_path)


def curve_flags(directory: Path, endpoint: str) -> list[str]:
    return [
        f"--gateway_endpoint={endpoint}",
        f"--key_file={directory}/gateway.key",
        f"--coordinator_key={directory}/coordinator.pub",
    ]


def test_a_gateway_whose_key_is_listed_gets_in_over_tcp(
    stack: ExitStack, keys: tuple[Path, KeyPair], tmp_path: Path
) -> None:
    directory, own = keys
    peer = Peer("tcp://127.0.0.1:*", keys=own, allowed=AllowedKeys(directory).read)
    stack.callback(peer.close)
    process = GatewayProcess(*curve_flags(directory, peer.endpoint))
    stack.callback(process.stop)
    peer.meet()
    process.await_log("languages=cpp")
    call = run(insecure(stack, process))
    peer.answer([(Stream.STDOUT, b"sealed")])
    assert call.result().stdout == b"sealed"


def test_a_gateway_whose_key_is_not_listed_stays_out_until_it_is(
    stack: ExitStack, keys: tuple[Path, KeyPair], tmp_path: Path
) -> None:
    directory, own = keys
    hidden = (directory / "gateway.pub").rename(directory / "gateway.unlisted")
    peer = Peer("tcp://127.0.0.1:*", keys=own, allowed=AllowedKeys(directory).read)
    stack.callback(peer.close)
    process = GatewayProcess(*curve_flags(directory, peer.endpoint))
    stack.callback(process.stop)
    process.await_log("check the keys")
    assert peer.receive(0.2) is None
    hidden.rename(directory / "gateway.pub")
    peer.meet(LANGUAGES)
    process.await_log("languages=cpp")


def test_a_gateway_that_is_refused_says_so_once_and_keeps_its_pauses(
    stack: ExitStack, keys: tuple[Path, KeyPair]
) -> None:
    directory, own = keys
    (directory / "gateway.pub").unlink()
    asked: list[float] = []
    four = threading.Event()

    def allowed() -> dict[str, frozenset[bytes]]:
        asked.append(time.monotonic())
        if len(asked) == 4:
            four.set()
        return {}

    peer = Peer("tcp://127.0.0.1:*", keys=own, allowed=allowed)
    stack.callback(peer.close)
    process = GatewayProcess(*curve_flags(directory, peer.endpoint))
    stack.callback(process.stop)
    assert four.wait(PATIENCE_S)
    pauses = [later - earlier for earlier, later in pairwise(asked[:4])]
    assert min(pauses) >= 0.9 * REGREET_S, pauses
    status, words = failure(run(insecure(stack, process)))
    assert status is grpc.StatusCode.UNAVAILABLE
    assert "check the keys" in words
    assert process.log.count("check the keys") == 1


def test_a_gateway_does_not_talk_to_another_coordinator_than_its_own(
    stack: ExitStack, keys: tuple[Path, KeyPair], tmp_path: Path
) -> None:
    directory, _ = keys
    make_keys(directory, "impostor")
    impostor = load_pair(directory / "impostor.key")
    peer = Peer("tcp://127.0.0.1:*", keys=impostor, allowed=AllowedKeys(directory).read)
    stack.callback(peer.close)
    process = GatewayProcess(*curve_flags(directory, peer.endpoint))
    stack.callback(process.stop)
    assert peer.receive(1.0) is None
    assert failure(run(insecure(stack, process)))[0] is grpc.StatusCode.UNAVAILABLE


def test_a_peer_without_keys_does_not_reach_a_coordinator_with_them(
    stack: ExitStack, keys: tuple[Path, KeyPair]
) -> None:
    directory, own = keys
    peer = Peer("tcp://127.0.0.1:*", keys=own, allowed=AllowedKeys(directory).read)
    stack.callback(peer.close)
    process = GatewayProcess(f"--gateway_endpoint={peer.endpoint}")
    stack.callback(process.stop)
    received = peer.receive(1.0)
    assert not (received is not None and isinstance(received[0], Hello))


@needs_openssl
def test_the_doctor_says_when_the_certificate_that_is_served_ends(
    stack: ExitStack, tmp_path: Path
) -> None:
    certificate, key = certify(tmp_path, "server", "localhost")
    process, _ = gateway(stack, f"--tls_certificate={certificate}", f"--tls_key={key}")
    command = [sys.executable, "-P", "-m", "dcodex", "doctor", "--live", "--json"]
    done = subprocess.run(
        [*command, f"--target=localhost:{process.port}", f"--ca={certificate}"],
        capture_output=True,
        timeout=2 * PATIENCE_S,
    )
    findings = {found["name"]: found for found in json.loads(done.stdout)["findings"]}
    assert findings["gateway"]["ok"]
    served = findings["certificate"]
    assert (served["ok"], served["required"]) == (False, False)
    assert served["text"] == "the gateway's is good for 2 more days"
    assert "renew it" in served["remedy"]
