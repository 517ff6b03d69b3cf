"""The library that holds a tool until its program is there (compiler/hold.c): made where it lacks.

Made with the host's compiler, for the same C library that the tools in a sandbox load. It lies
where sandboxes see it, under a name that says what it was made from.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

SOURCE = Path(__file__).with_name("compiler") / "hold.c"
#: Making it, in seconds.
_TIMEOUT_S = 60.0


def name() -> str:
    """Of the library's file."""
    return f"hold-{hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:32]}.so"


def make(directory: str, compiler: str) -> None:
    """Have it in the directory. Raises OSError, subprocess.SubprocessError."""
    path = os.path.join(directory, name())
    if os.path.exists(path):
        return
    with tempfile.TemporaryDirectory(dir=directory, prefix=".hold-") as scratch:
        product = os.path.join(scratch, "hold.so")
        subprocess.run(
            [
                *(compiler, "-x", "c", "-std=gnu11", "-O2", "-shared", "-fPIC"),
                "-o",
                product,
                SOURCE,
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=True,
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TMPDIR": scratch},
        )
        os.rename(product, path)
