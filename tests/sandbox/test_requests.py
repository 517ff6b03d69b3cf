"""Odd requests end in a clear refusal or a verdict on the program, never in SYSTEM_ERROR."""

from __future__ import annotations

from typing import Any

import pytest
from tests.sandbox.conftest import HELLO, Lab

import dcodex
from dcodex import File, Limits, Verdict

pytestmark = pytest.mark.timeout(120)

DEEP = "/".join(["d"] * 500)
MIB = 1 << 20

ODD: dict[str, dict[str, Any]] = {
    "file-and-folder-of-one-name": {"files": {"main.py": HELLO, "a": "", "a/b": ""}},
    "folder-and-file-of-one-name": {"files": {"main.py": HELLO, "a/b": "", "a": ""}},
    "below-the-program": {"files": {"main.py": HELLO, "main.py/x": ""}},
    "empty-component": {"files": {"main.py": HELLO, "a//b": ""}},
    "dot-component": {"files": {"main.py": HELLO, "a/./b": ""}},
    "climbs": {"files": {"main.py": HELLO, "../x": ""}},
    "absolute": {"files": {"main.py": HELLO, "/etc/x": ""}},
    "nul": {"files": {"main.py": HELLO, "a\0b": ""}},
    "trailing-slash": {"files": {"main.py": HELLO, "a/": ""}},
    "only-dots": {"files": {"main.py": HELLO, "...": ""}},
    "very-deep": {"files": {"main.py": HELLO, f"{DEEP}/x": ""}},
    "very-deep-very-often": {
        "files": {"main.py": HELLO, **{f"{n}/{DEEP}/x": "" for n in range(250)}}
    },
    "long-name": {"files": {"main.py": HELLO, "x" * 255: ""}},
    "unreadable-program": {"files": {"main.py": File(HELLO, 0o200)}},
    "unwritable-program": {"files": {"main.py": File(HELLO, 0o400)}},
    "suid-mode": {"files": {"main.py": File(HELLO, 0o4755)}},
    "entry-point-missing": {"files": {"main.py": HELLO}, "entry_point": "other.py"},
    "entry-point-is-a-folder": {"files": {"main.py": HELLO, "a/b.py": ""}, "entry_point": "a"},
    "shadowing-modules": {
        "files": {"main.py": HELLO, "os.py": "1/0", "random.py": "1/0", "site.py": "1/0"}
    },
    "customize": {
        "files": {"main.py": HELLO, "sitecustomize.py": "1/0", "usercustomize.py": "1/0"}
    },
    "little-memory": {"source": HELLO, "limits": Limits(memory_bytes=4 * MIB)},
    "source-above-memory": {
        "source": b"#" * (12 * MIB) + b"\nprint('hello')",
        "limits": Limits(memory_bytes=16 * MIB),
    },
    "little-wall": {"source": HELLO, "limits": Limits(wall_s=0.001)},
    "little-cpu": {"source": HELLO, "limits": Limits(cpu_s=0.001)},
    "few-descriptors": {"source": HELLO, "limits": Limits(open_files=8)},
    "no-file-size": {"source": HELLO, "limits": Limits(file_size_bytes=1)},
    "one-process-c": {
        "source": "int main(void){return 0;}",
        "language": "c",
        "limits": Limits(processes=1, file_size_bytes=1, open_files=8),
    },
    "c-little-memory": {
        "source": "int main(void){return 0;}",
        "language": "c",
        "limits": Limits(memory_bytes=4 * MIB),
    },
    "python-home": {"source": HELLO, "env": {"PYTHONHOME": "/nowhere"}},
    "preload": {"source": HELLO, "env": {"LD_PRELOAD": "/nowhere.so"}},
    "path-of-nothing": {"source": HELLO, "env": {"PATH": "", "HOME": "/nowhere", "LANG": "x"}},
    "environment-name": {"source": HELLO, "env": {"A=B": "x"}},
    "environment-nul": {"source": HELLO, "env": {"A": "x\0y"}},
    "argument-nul": {"source": HELLO, "args": ["a\0b"]},
    "many-arguments": {"source": HELLO, "args": ["x" * 100] * 1000},
    "stdin-unread": {"source": HELLO, "stdin": b"x" * (4 * MIB)},
    "c-empty": {"files": {"main.c": b""}, "language": "c"},
    "c-not-text": {"files": {"main.c": bytes(range(256)) * 100}, "language": "c"},
    "python-not-text": {"files": {"main.py": bytes(range(256)) * 100}},
    "python-archive": {"files": {"main.py": b"PK\x03\x04" + b"\0" * 100}},
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_request_is_refused_or_judged(name: str, lab: Lab) -> None:
    options = dict(ODD[name])
    source = options.pop("source", "")
    try:
        result = lab.client.run(source, cache=False, timeout_s=60.0, **options)
    except dcodex.InvalidRequest:
        result = None
    if result is not None:
        assert result.verdict not in (Verdict.SYSTEM_ERROR, Verdict.UNSPECIFIED), result
    after = lab.client.run(HELLO, cache=False)
    assert (after.verdict, after.stdout) == (Verdict.OK, b"hello\n")


@pytest.mark.parametrize("option", ["address", "leak", "undefined", "thread"])
def test_a_program_may_be_compiled_with_a_sanitizer(option: str, lab: Lab) -> None:
    result = lab.client.run(
        '#include <stdio.h>\nint main(void) { puts("fine"); return 0; }',
        language="c",
        compile_args=[f"-fsanitize={option}"],
        cache=False,
    )
    assert (result.verdict, result.stdout, result.stderr) == (Verdict.OK, b"fine\n", b""), result


def test_a_compile_that_makes_no_program_is_an_error_of_the_compile(lab: Lab) -> None:
    result = lab.client.run(
        "int main(void) { return 0; }",
        language="c",
        compile_args=["-Wl,-o,elsewhere"],
        cache=False,
    )
    assert (result.verdict, result.exit_code) == (Verdict.COMPILE_ERROR, -1), result
