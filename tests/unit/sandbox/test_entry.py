"""An interpreter that opens another file than the one that it was started with."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from tests.environment import of_tests

from dcodex_worker.template.entry import Entry

TIMEOUT_S = 30.0
#: As a template's: asked whether main.py is a folder or an archive, it goes on with NAME.
HOOK = """\
import os, sys

def knock(path):
    sys.path_hooks.remove(knock)
    sys.path[:] = [place for place in sys.path if place not in os.environ["PYTHONPATH"].split(":")]
    from dcodex_worker.template.entry import Entry
    entry = Entry(os.getcwd(), "main.py")
    assert entry.is_free
    entry.become(os.environ["NAME"])
    assert entry.path == os.path.join(os.getcwd(), os.environ["NAME"])
    sys.argv[0] = os.environ["NAME"]
    raise ImportError

sys.path_hooks.append(knock)
"""
TELLS = """\
import inspect, sys, traceback
print(__file__, sys.argv, sys.path[0], __loader__.path, list(sys.path_importer_cache)[-1])
print(inspect.getsource(traceback.walk_stack)[:20], inspect.getsource(sys.modules[__name__])[:20])
class Speaks:
    def __del__(self): print("to the very end")
speaks = Speaks()
raise ValueError(__name__)
"""


def _start(folder: str, name: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-u", name],
        cwd=folder,
        # Whoever frees a string as one of another kind is told so.
        env=of_tests(PYTHONMALLOC="debug") | environment,
        capture_output=True,
        timeout=TIMEOUT_S,
        check=False,
    )


@pytest.mark.parametrize(
    "name", ["main.py", "hello.py", "a b.py", "no suffix", "drei-\u00fc.py", "folder/deep/x.py"]
)
def test_it_goes_on_as_if_it_had_been_started_with_that_file(name: str) -> None:
    with tempfile.TemporaryDirectory() as hook, tempfile.TemporaryDirectory() as folder:
        Path(hook, "sitecustomize.py").write_text(HOOK)
        Path(folder, name).parent.mkdir(parents=True, exist_ok=True)
        Path(folder, name).write_text(TELLS)
        path = os.pathsep.join((hook, of_tests()["PYTHONPATH"]))
        other = _start(folder, "main.py", NAME=name, PYTHONPATH=path)
        itself = _start(folder, name)
    assert b"to the very end" in itself.stdout
    assert b"ValueError: __main__" in itself.stderr
    assert (other.returncode, other.stdout, other.stderr) == (
        itself.returncode,
        itself.stdout,
        itself.stderr,
    )


@pytest.mark.parametrize("name", ["absent.py", "", "x" * 2000])
def test_where_the_interpreter_was_not_started_so_nothing_can_be_changed(name: str) -> None:
    entry = Entry("/nowhere", name)
    assert not entry.is_free
    entry.become(name)
    assert entry.path == f"/nowhere/{name}"
    with pytest.raises(AssertionError):
        entry.become("other.py")
