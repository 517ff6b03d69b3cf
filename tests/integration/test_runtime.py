"""`dcodex runtime` with real virtual environments and a real pip, of packages made here."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest
from tests.environment import of_tests
from tests.integration import wheels
from tests.sandbox.lacking import NOBODY

#: Making a runtime on a busy machine.
PATIENCE_S = 100.0
#: What each package does when it is imported.
SOURCES = {
    "tame": "def main():\n    print('tame')\n",
    "threaded": "import threading\nthreading.Thread(target=threading.Event().wait).start()\n",
    "crashing": "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n",
    "leaving": "import os\nos._exit(0)\n",
    "failing": "raise OSError('no such\\nlibrary')\n",
}

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it looks from a sandbox's root"),
    pytest.mark.timeout(2 * PATIENCE_S),
]


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    for name, source in SOURCES.items():
        wheels.build(folder, name, "1.5", source)
    return folder


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """Programs have files of their own where tests have theirs: a runtime cannot be there."""
    folder = Path(tempfile.mkdtemp(prefix="dcodex-test-", dir="/var/cache"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def runtime(place: Path, packages: Path) -> Path:
    """One with every package; made by an operator with a strict umask."""
    wanted = place / "wanted.txt"
    wanted.write_text("".join(f"{name}==1.5\n" for name in SOURCES))
    made = place / "made"
    done = _run("make", made, "-r", wanted, "--preload=tame", packages=packages, umask=0o077)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == (
        f"to use it: dcodex worker --python_venv {made} --preload tame"
    )
    assert sorted(os.listdir(place)) == ["made", "wanted.txt"]
    return made


@pytest.fixture
def copied(runtime: Path) -> Iterator[Path]:
    """A copy, to be spoilt."""
    copy = runtime.with_name("copied")
    shutil.copytree(runtime, copy, symlinks=True)
    yield copy
    shutil.rmtree(copy)


def _command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-P", "-m", "dcodex", "runtime", *map(str, arguments)]


def _run(
    *arguments: str | Path, packages: Path | None = None, umask: int = 0o022
) -> subprocess.CompletedProcess[str]:
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(packages), "PIP_CONFIG_FILE": os.devnull}
    return subprocess.run(
        _command(*arguments),
        env=of_tests(**offline),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        umask=umask,
    )


def _check(runtime: Path, *flags: str) -> tuple[int, dict[str, Any]]:
    done = _run("check", runtime, "--json", *flags)
    assert done.stdout, done.stderr
    answer = json.loads(done.stdout)
    assert answer["fit"] == (done.returncode == 0)
    return done.returncode, {finding["name"]: finding for finding in answer["findings"]}


def _missing(findings: dict[str, Any]) -> set[str]:
    return {name for name, finding in findings.items() if not finding["ok"]}


def test_a_runtime_is_whole_and_says_what_a_host_would_preload(runtime: Path) -> None:
    status, findings = _check(runtime, "--preload=tame absent.thing")
    assert (status, _missing(findings)) == (0, set())
    assert findings["tame"]["text"].startswith("1.5, ")
    assert findings["absent"]["text"].startswith("absent.thing: ")
    assert "failing 1.5" in findings["others"]["text"]
    assert "tame 1.5" not in findings["others"]["text"]
    assert findings["python-1"]["text"].startswith("standard library tame: ")


def test_commands_of_a_runtime_work_in_the_place_that_it_was_moved_to(runtime: Path) -> None:
    done = subprocess.run([runtime / "bin" / "tame"], capture_output=True, check=True)
    assert done.stdout == b"tame\n"
    configuration = (runtime / "pyvenv.cfg").read_text()
    assert ".making" not in configuration


def test_byte_code_names_the_place_that_a_runtime_was_moved_to(runtime: Path) -> None:
    code = next(runtime.glob("lib/*/site-packages/tame/__pycache__/lazily.*.pyc")).read_bytes()
    assert str(runtime).encode() in code


def test_a_runtime_of_an_operator_with_a_strict_umask_is_readable_by_every_user(
    runtime: Path,
) -> None:
    done = subprocess.run(
        [runtime / "bin" / "python3", "-I", "-c", "import tame.lazily"],
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        capture_output=True,
        cwd="/",
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("threaded", "it starts a thread when imported"),
        ("crashing", "its import ends the interpreter with SIGSEGV"),
        ("leaving", "its import ends the interpreter with status 0"),
        ("failing", "no such library"),
    ],
)
def test_a_package_that_cannot_be_preloaded_makes_a_runtime_unfit_and_is_named(
    runtime: Path, name: str, words: str
) -> None:
    status, findings = _check(runtime, f"--preload=tame {name}")
    assert status == 1
    assert words in findings[name]["text"]
    assert findings["tame"]["ok"]


def test_a_runtime_for_another_version_of_its_interpreter_is_unfit(copied: Path) -> None:
    configuration = copied / "pyvenv.cfg"
    lines = configuration.read_text().splitlines()
    lines = [line for line in lines if not line.startswith("version")]
    configuration.write_text("\n".join([*lines, "version = 3.2.1", ""]))
    status, findings = _check(copied, "--preload=tame")
    assert (status, _missing(findings)) == (1, {"interpreter"})
    assert "the packages are for 3.2.1" in findings["interpreter"]["text"]


def test_files_that_others_may_write_are_named(copied: Path) -> None:
    module = next(copied.glob("lib/*/site-packages/tame/__init__.py"))
    module.chmod(0o666)
    status, findings = _check(copied, "--preload=tame")
    assert (status, _missing(findings)) == (1, {"files"})
    assert "others may write" in findings["files"]["text"]
    assert f"{module.relative_to(copied)}" in findings["files"]["text"]


def test_what_programs_cannot_read_is_named(copied: Path) -> None:
    next(copied.glob("lib/*/site-packages/tame")).chmod(0o700)
    status, findings = _check(copied, "--preload=")
    assert (status, _missing(findings)) == (1, {"files"})
    assert "1 programs cannot read" in findings["files"]["text"]


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_text("cut")])
def test_a_file_that_is_gone_or_cut_short_is_named(copied: Path, spoil: Any) -> None:
    spoil(next(copied.glob("lib/*/site-packages/tame/lazily.py")))
    status, findings = _check(copied, "--preload=tame")
    assert (status, _missing(findings)) == (1, {"files"})
    assert "tame/lazily.py" in findings["files"]["text"]


def test_byte_code_that_is_out_of_date_is_noted_but_does_no_harm(copied: Path) -> None:
    os.utime(next(copied.glob("lib/*/site-packages/tame/__init__.py")), (1, 1))
    status, findings = _check(copied, "--preload=tame")
    assert (status, _missing(findings)) == (0, {"byte-code"})
    assert findings["byte-code"]["text"].startswith("1 of the modules")


def test_a_package_that_is_a_link_to_elsewhere_is_not_there_for_programs(
    copied: Path, place: Path
) -> None:
    (place / "elsewhere").mkdir()
    (place / "elsewhere" / "linked.py").write_text("")
    site = next(copied.glob("lib/*/site-packages"))
    (site / "linked.pth").write_text(str(place / "elsewhere"))
    status, findings = _check(copied, "--preload=linked")
    assert status == 1
    assert "is it installed as a link?" in findings["linked"]["text"]


def test_a_machine_that_cannot_show_what_programs_see_says_so_and_checks_the_rest(
    runtime: Path,
) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-P", "-m", "tests.sandbox.lacking", "pivot_root"),
            *_command("check", runtime, "--json", "--preload=tame"),
        ],
        env=of_tests(),
        capture_output=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    findings = {finding["name"]: finding for finding in json.loads(done.stdout)["findings"]}
    assert _missing(findings) == {"view"}
    assert "Operation not permitted" in findings["view"]["text"]


def test_a_place_that_is_taken_is_left_as_it_is(
    runtime: Path, place: Path, tmp_path: Path, packages: Path
) -> None:
    (place / "full").mkdir()
    (place / "full" / "letter").write_text("dear")
    (place / "file").write_text("")
    for taken, words in (
        (place / "full", "is not empty and no runtime: name another directory"),
        (place / "file", "is a file: name a directory"),
        (runtime, "is a runtime already: "),
        (place / "file" / "deeper", f"cannot write in {place / 'file'}: "),
        (tmp_path / "new", "is not shown to programs, whose own files are there: move it"),
    ):
        done = _run("make", taken, "tame", packages=packages)
        assert (done.returncode, done.stdout) == (1, "")
        assert words in done.stderr
        assert len(done.stderr.splitlines()) == 1, done.stderr
    assert os.listdir(place / "full") == ["letter"]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("nowhere-to-be-found",), "pip could not install that"),
        (("tame", "--python=/bin/false"), "cannot use /bin/false: it does not answer"),
        (("tame", "--python=/bin/nothing"), "cannot use /bin/nothing: No such file"),
        (("crashing", "--preload=crashing"), "it could not be used, as it says above"),
    ],
)
def test_a_runtime_that_cannot_be_made_leaves_nothing_and_what_was_there(
    runtime: Path, packages: Path, flags: tuple[str, ...], words: str
) -> None:
    before = os.listdir(runtime.parent)
    done = _run("make", "--replace", runtime, *flags, packages=packages)
    assert done.returncode == 1
    assert words in done.stderr.splitlines()[-1]
    assert os.listdir(runtime.parent) == before
    assert _check(runtime, "--preload=tame")[0] == 0


def test_a_runtime_that_is_made_anew_takes_the_old_ones_place(copied: Path, packages: Path) -> None:
    before = os.listdir(copied.parent)
    done = _run("make", copied, "tame", "--replace", "--preload=tame", packages=packages)
    assert done.returncode == 0, done.stderr
    assert os.listdir(copied.parent) == before
    assert not list(copied.glob("lib/*/site-packages/crashing"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_making_that_is_ended_leaves_nothing(place: Path, number: int) -> None:
    before = sorted(os.listdir(place))
    with Making(place / "ended") as making:
        making.process.send_signal(number)
        assert making.process.wait(PATIENCE_S) == 130
        making.await_hangup()
    assert sorted(os.listdir(place)) == before


def test_only_one_makes_a_runtime_and_another_goes_on_after_it_was_killed(
    place: Path, packages: Path
) -> None:
    wanted = place / "killed"
    with Making(wanted) as making:
        process = making.process
        second = _run("make", wanted, "tame", packages=packages)
        assert second.returncode == 1
        assert "the same runtime is being made already" in second.stderr
        process.kill()
        process.wait(PATIENCE_S)
        # Its pip goes with it, not when the index does.
        making.await_hangup()
    assert not wanted.exists()
    wanted.with_name(".killed.making").joinpath("left").write_text("")
    third = _run("make", wanted, "tame", "--preload=tame", packages=packages)
    assert third.returncode == 0, third.stderr
    assert not wanted.with_name(".killed.making").exists()
    assert not (wanted / "left").exists()


class Making:
    """`make` with pip waiting for an index that never answers."""

    def __init__(self, directory: Path) -> None:
        self._index = socket.create_server(("127.0.0.1", 0))
        self._index.settimeout(PATIENCE_S)
        host, port = self._index.getsockname()
        index = {"PIP_INDEX_URL": f"http://{host}:{port}/", "PIP_CONFIG_FILE": os.devnull}
        for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX", "http_proxy"):
            index[name] = ""
        self.process = subprocess.Popen(
            _command("make", directory, "tame"), env=of_tests(no_proxy="*", **index)
        )

    def __enter__(self) -> Self:
        self._call, _ = self._index.accept()
        return self

    def await_hangup(self) -> None:
        """Wait until whoever called the index has gone."""
        self._call.settimeout(PATIENCE_S)
        while self._call.recv(4096):
            pass

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self._call.close()
        self._index.close()
