"""What the live doctor makes of what it has seen, and when certificates end."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcodex.doctor.certificates import NotACertificate, end_of_der, ends_of_pem
from dcodex.doctor.judge import (
    Page,
    Trial,
    judge_clock,
    judge_expiry,
    judge_health,
    judge_page,
    judge_queues,
    judge_versions,
    judge_workers,
)
from dcodex.values import FarmSnapshot, Queue, Worker, WorkerState

PATIENCE_S = 30.0
DAY_S = 86400.0
GOOD = Trial("python", "", 0.1, 0.2)
BAD = Trial("c", "SYSTEM_ERROR: no", 0.0, 0.2)


def page(**changes: object) -> Page:
    given = {"healthy": True, "ready": True, "process": "gateway", "version": "1", "protocol": "1"}
    return Page("h:9464", "", **{**given, **changes})  # type: ignore[arg-type] # by their names


def farm(*states: WorkerState, waits_s: float = 0.0) -> FarmSnapshot:
    workers = tuple(Worker(f"h/{n}", "h", s, "c", "", 0.0, 0) for n, s in enumerate(states))
    return FarmSnapshot(workers, (Queue("c", 1, waits_s),), 2, 0, 0, 0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("status", "trials", "true"),
    [
        ("SERVING", [GOOD, BAD], True),
        ("SERVING", [BAD], False),
        ("SERVING", [], False),
        ("NOT_SERVING", [GOOD], False),
        ("NOT_SERVING", [], True),
        ("", [GOOD], False),
    ],
)
def test_health_is_held_against_what_programs_came_to(
    status: str, trials: list[Trial], true: bool
) -> None:
    assert judge_health(status, trials).ok is true


def test_workers_that_are_leaving_are_none() -> None:
    assert not judge_workers(farm(WorkerState.SHUTDOWN)).ok
    assert not judge_workers(farm()).ok
    found = judge_workers(farm(WorkerState.IDLE, WorkerState.BUSY, WorkerState.SHUTDOWN))
    assert (found.ok, found.text) == (True, "2 on 1 host: 1 busy, 1 idle; for 2 c")


def test_a_long_wait_is_worth_a_note() -> None:
    assert judge_queues(farm(waits_s=1.0)).ok
    found = judge_queues(farm(waits_s=60.0))
    assert (found.ok, found.required) == (False, False)


def test_two_versions_are_a_note_while_they_understand_each_other() -> None:
    assert judge_versions("1", []) is None
    same = judge_versions("1", [page(), page()])
    assert same is not None
    assert same.ok
    rolling = judge_versions("1", [page(), page(version="2")])
    assert rolling is not None
    assert (rolling.ok, rolling.required) == (False, False)
    apart = judge_versions("1", [page(), page(version="2", protocol="2")])
    assert apart is not None
    assert (apart.ok, apart.required) == (False, True)


@pytest.mark.parametrize(
    ("skew_s", "ok"), [(0.9, True), (-2.0, True), (5.0, False), (-90.0, False)]
)
def test_clocks_that_are_apart_are_told(skew_s: float, ok: bool) -> None:
    found = judge_clock([page(skew_s=0.1), page(skew_s=skew_s), page()])
    assert found is not None
    assert found.ok is ok


@pytest.mark.parametrize(
    "seen",
    [Page("h:1", "Connection refused"), page(healthy=False), page(ready=False), page(process="")],
)
def test_whatever_a_port_lacks_has_a_remedy(seen: Page) -> None:
    found = judge_page(seen)
    assert found.ok == (not seen.process and not seen.error)
    assert found.ok or found.remedy


def test_a_certificate_is_to_be_renewed_before_it_ends() -> None:
    now = 1e9
    assert judge_expiry("c", "it", [now + 90 * DAY_S, now + 40 * DAY_S], now).ok
    soon = judge_expiry("c", "it", [now + 90 * DAY_S, now + 5 * DAY_S], now)
    assert (soon.ok, soon.required) == (False, False)
    over = judge_expiry("c", "it", [now - DAY_S], now)
    assert (over.ok, over.required, over.text) == (False, True, "it ended 1 days ago")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")
@pytest.mark.parametrize("days", [1, 400, 9000, 20000])
@pytest.mark.parametrize("kind", ["rsa:2048", "ec"])
def test_the_end_of_a_certificate_is_what_openssl_says(
    tmp_path: Path, days: int, kind: str
) -> None:
    curve = ["-pkeyopt", "ec_paramgen_curve:prime256v1"] if kind == "ec" else []
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", kind, *curve, "-nodes", "-days", str(days),
         "-subj", "/CN=x", "-out", "c.pem", "-keyout", "c.key"],
        check=True, capture_output=True, timeout=PATIENCE_S, cwd=tmp_path,
    )  # fmt: skip
    said = subprocess.run(
        ["openssl", "x509", "-enddate", "-noout", "-in", "c.pem"],
        check=True, capture_output=True, timeout=PATIENCE_S, cwd=tmp_path, text=True,
    ).stdout  # fmt: skip
    form = "notAfter=%b %d %H:%M:%S %Y GMT"
    expected = datetime.strptime(said.strip(), form).replace(tzinfo=UTC)
    pem = (tmp_path / "c.pem").read_bytes()
    assert ends_of_pem(pem + pem) == 2 * [expected.timestamp()]


@given(st.binary(max_size=200))
def test_bytes_that_are_no_certificate_are_told_so(data: bytes) -> None:
    with pytest.raises(NotACertificate):
        end_of_der(data)


@pytest.mark.parametrize(
    "data", [b"", b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----"]
)
def test_a_file_without_certificates_is_told_so(data: bytes) -> None:
    with pytest.raises(NotACertificate):
        ends_of_pem(data)
