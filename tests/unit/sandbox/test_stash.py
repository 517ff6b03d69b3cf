"""The stash of preloaded modules, tried in an interpreter of its own."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

PRELUDE = """
import sys
natural = frozenset(sys.modules)
from dcodex_worker.template.stash import Stash
complaints = []
stash = Stash()
stash.fill(natural, ["colorsys", "sched", "no_such_package"], complaints.append)
"""


def run(program: str) -> str:
    """What the program prints after a stash was filled."""
    return subprocess.run(
        [sys.executable, "-c", PRELUDE + textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.strip()


def test_what_was_preloaded_is_out_of_sight() -> None:
    assert run("print(sorted(set(sys.modules) - natural), complaints)") == "[] []"


def test_an_import_gives_the_module_that_was_preloaded_with_its_own_spec() -> None:
    program = """
    import colorsys
    print(colorsys is stash._modules["colorsys"], colorsys.__spec__.loader is colorsys.__loader__)
    print(sys.modules["colorsys"] is colorsys, "sched" in sys.modules)
    """
    assert run(program) == "True True\nTrue False"


def test_an_import_brings_along_what_was_preloaded_before_it() -> None:
    program = """
    import sched
    print("colorsys" in sys.modules, "heapq" in sys.modules, stash in sys.meta_path)
    """
    assert run(program).startswith("True True")


def test_what_a_module_registers_at_exit_waits_until_it_is_imported() -> None:
    program = """
    import atexit
    hidden = Stash()
    hidden.fill(frozenset(sys.modules), ["logging"], complaints.append)
    before = atexit._ncallbacks()
    import logging
    print(atexit._ncallbacks() - before)
    """
    assert run(program) == "1"


def test_a_module_that_does_not_exist_is_still_an_import_error() -> None:
    program = """
    try:
        import no_such_package
    except ModuleNotFoundError as error:
        print(error.name)
    """
    assert run(program) == "no_such_package"


def test_what_a_module_noted_when_it_was_preloaded_is_noted_anew() -> None:
    program = """
    import time
    hidden = Stash()
    hidden.fill(frozenset(sys.modules), ["logging", "multiprocessing"], complaints.append)
    began = time.time()
    key = hidden._modules["multiprocessing.process"].current_process().authkey
    import logging, multiprocessing
    renewed = multiprocessing.current_process().authkey
    print(logging._startTime >= began, renewed != key, len(renewed) == len(key))
    """
    assert run(program) == "True True True"


def test_a_package_that_could_not_be_imported_in_the_template_can_be_in_a_program(
    tmp_path: Path,
) -> None:
    (tmp_path / "fragile").mkdir()
    (tmp_path / "fragile" / "__init__.py").write_text(
        "import sys\nimport fragile.one, fragile.two\nassert hasattr(sys, 'program')\n"
    )
    (tmp_path / "fragile" / "one.py").write_text("value = 1\n")
    (tmp_path / "fragile" / "two.py").write_text("value = 2\n")
    program = f"""
    sys.path.insert(0, {str(tmp_path)!r})
    hidden = Stash()
    hidden.fill(frozenset(sys.modules), ["fragile"], complaints.append)
    sys.program = True
    import fragile
    print(fragile.one.value, fragile.two.value, len(complaints))
    """
    assert run(program) == "1 2 1"


def test_numpy_is_seeded_anew_however_its_random_is_reached(tmp_path: Path) -> None:
    (tmp_path / "numpy").mkdir()
    (tmp_path / "numpy" / "__init__.py").write_text(
        "def __getattr__(name):\n    import numpy.random\n    return numpy.random\n"
    )
    (tmp_path / "numpy" / "random.py").write_text(
        "seeded = []\ndef seed():\n    seeded.append(True)\n"
    )
    (tmp_path / "user_of_it.py").write_text("import numpy.random\n")
    program = f"""
    sys.path.insert(0, {str(tmp_path)!r})
    hidden = Stash()
    hidden.fill(frozenset(sys.modules), ["numpy", "user_of_it"], complaints.append)
    import numpy
    print(len(numpy.random.seeded) > 0)
    """
    assert run(program) == "True"
