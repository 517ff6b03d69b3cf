"""What callers send is nobody's to read but theirs: not in logs, not in metrics."""

from __future__ import annotations

import contextlib
import json
import urllib.request
from pathlib import Path

import pytest
from tests.e2e.test_metrics import free_base_port

import dcodex
from dcodex.testing import Farm
from dcodex_gateway.tokens import hash_token

PATIENCE_S = 60.0
#: In every place that a caller can put words into; each place's own, to tell which one leaked.
CANARY = "canary7f3a"


def canary(place: str) -> str:
    return f"{CANARY}{place}"


PYTHON = f"import sys\nprint('{canary('code')}', input(), sys.argv, file=sys.stderr)\n"


def provoke(client: dcodex.Client, stranger: dcodex.Client) -> None:
    """Runs and errors of all kinds, with the canary wherever it can be."""
    options = {
        "stdin": canary("stdin"),
        "args": [canary("argument")],
        "env": {canary("name"): canary("value")},
        "cache": False,
    }
    client.run(PYTHON, **options).check()  # type: ignore[arg-type] # by their names
    client.run(files={"main.py": PYTHON, f"{canary('file')}.py": ""}, **options)  # type: ignore[arg-type] # as above
    client.run(f"raise ValueError('{canary('raised')}')", cache=False)
    client.run(f"{canary('syntax')} ???", cache=False)
    for language in ("c", "cpp"):
        with contextlib.suppress(dcodex.InvalidRequest):
            client.run(f'#error "{canary("compile")}"\n', language=language, cache=False)
            client.run(f'#include "{canary("include")}.h"\n', language=language, cache=False)
    client.run(f"print('{canary('flood')}' * 1000000)", limits=dcodex.Limits(output_bytes=1024))
    client.run(f"import os; os.abort()  # {canary('abort')}", cache=False)
    with client.execute(f"print('{canary('live')}', flush=True); input()", cache=False) as live:
        live.send_stdin(canary("livestdin"))
        for event in live:
            if isinstance(event, dcodex.Stdout):
                break
    refusals = (
        {"language": canary("language")},
        {"files": {f"../{canary('path')}": "x"}},
        {"execution_id": f"{canary('id')} with blanks"},
        {"env": {f"{canary('env')}=": "x"}},
        {"labels": {f"{canary('label')} ": "x"}},
        {"limits": dcodex.Limits(wall_s=1e9), "args": [canary("limits")]},
    )
    for refusal in refusals:
        # Whether each is refused is tested elsewhere.
        with contextlib.suppress(dcodex.DCodeXError, ValueError):
            client.run("" if "files" in refusal else PYTHON, **refusal)
    with pytest.raises(dcodex.Unauthenticated):
        stranger.run(PYTHON)


@pytest.mark.parametrize("form", ["json", "human"])
def test_nothing_that_a_caller_sends_is_in_logs_or_metrics(tmp_path: Path, form: str) -> None:
    tokens = tmp_path / "tokens.toml"
    tokens.write_text(f'[[token]]\ntenant = "t"\nsha256 = "{hash_token(canary("token"))}"\n')
    base = free_base_port()
    flags = (
        *("--min_workers=2", "--max_workers=2", "--preload=", "--log_level=debug"),
        *(f"--log_format={form}", f"--tokens={tokens}", f"--metrics_port={base}"),
    )
    with (
        Farm(*flags) as farm,
        dcodex.connect(farm.target, token=canary("token")) as client,
        dcodex.connect(farm.target, token=canary("stranger")) as stranger,
    ):
        provoke(client, stranger)
        pages = "".join(fetch(base + number) for number in range(3))
        farm.stop()
        log = farm.log.read_text(errors="replace")
    assert "dcodex_executions_total" in pages
    for text in (log, pages):
        # Case, for headers; the hash is the operator's own and no secret, but nobody logs it.
        assert CANARY not in text.lower(), next(
            line for line in text.splitlines() if CANARY in line.lower()
        )
        assert hash_token(canary("token")) not in text
    if form == "json":
        entries = [json.loads(line) for line in log.splitlines()]
        assert {"gateway", "coordinator", "host"} <= {entry["process"] for entry in entries}
        for entry in entries:
            assert entry["level"] in ("debug", "info", "warning"), entry


def fetch(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE_S) as answer:
        return str(answer.read().decode())
