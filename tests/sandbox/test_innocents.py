"""Programs that run fine by hand run fine in the sandbox: each says `fine` last, and nothing else
goes wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.sandbox.conftest import Lab
from tests.sandbox.corpus import LANGUAGE_OF, MIB

from dcodex import Limits, Verdict

INNOCENTS_DIR = Path(__file__).parent / "innocents"
PROGRAMS = sorted(path.name for path in INNOCENTS_DIR.iterdir() if path.suffix in LANGUAGE_OF)

pytestmark = pytest.mark.timeout(120)


@pytest.mark.parametrize("name", PROGRAMS)
def test_an_innocent_program_runs_as_by_hand(name: str, lab: Lab) -> None:
    result = lab.client.run(
        (INNOCENTS_DIR / name).read_bytes(),
        language=LANGUAGE_OF[Path(name).suffix],
        limits=Limits(cpu_s=20.0, wall_s=40.0, memory_bytes=1024 * MIB, output_bytes=MIB),
        cache=False,
    )
    assert result.verdict is Verdict.OK, result
    assert result.stdout.splitlines()[-1:] == [b"fine"], result
    assert result.stderr == b"", result
    assert result.compiler_output == b"", result
