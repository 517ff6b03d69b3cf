"""Modules that decide import nothing that acts."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

import pytest

#: They take values, time and randomness as arguments, and hand out commands.
DECIDING = (
    "dcodex.doctor.certificates",
    "dcodex.doctor.judge",
    "dcodex_coordinator.balancer",
    "dcodex_coordinator.desk",
    "dcodex_coordinator.execution",
    "dcodex_coordinator.fair_queue",
    "dcodex_coordinator.figures",
    "dcodex_coordinator.flights",
    "dcodex_coordinator.histograms",
    "dcodex_coordinator.hosts",
    "dcodex_coordinator.machine",
    "dcodex_coordinator.outbox",
    "dcodex_coordinator.pool",
    "dcodex_coordinator.results",
    "dcodex_coordinator.supervisor",
    "dcodex_coordinator.timers",
    "dcodex_coordinator.view",
    "dcodex_gateway.exchange",
    "dcodex_gateway.quota",
    "dcodex_gateway.replies",
    "dcodex_gateway.session",
    "dcodex_gateway.spans",
    "dcodex_gateway.translate",
    "dcodex_gateway.windows",
    "dcodex_gateway.wording",
    "dcodex_shared.errors",
    "dcodex_shared.farm",
    "dcodex_shared.findings",
    "dcodex_shared.guarantees",
    "dcodex_shared.languages",
    "dcodex_shared.limits",
    "dcodex_shared.messages",
    "dcodex_shared.program",
    "dcodex_shared.quantities",
    "dcodex_shared.wire",
    "dcodex_worker.crew",
    "dcodex_worker.execution",
    "dcodex_worker.presence",
    "dcodex_worker.provision.judge",
    "dcodex_worker.runtimes.attempt",
    "dcodex_worker.runtimes.headers",
    "dcodex_worker.runtimes.names",
    "dcodex_worker.runtimes.openings",
    "dcodex_worker.runtimes.tools",
    "dcodex_worker.verdict",
)
#: What acts: sockets, clocks, files, processes, threads, chance.
ACTING = frozenset(
    (
        *("asyncio", "ctypes", "fcntl", "grpc", "io", "mmap", "multiprocessing", "os", "pathlib"),
        *("prometheus_client", "queue", "random", "select", "selectors", "shutil", "signal"),
        *("socket", "subprocess", "sys", "tempfile", "threading", "time", "uuid", "zmq"),
    )
)
#: Acting modules of which only functions of values are used: what a wait status says.
VALUES_ONLY = {"dcodex_worker.verdict": {"os", "signal"}}
BUILT_IN = frozenset(("open", "input", "print", "exec", "eval", "__import__"))


def _tree(module: str) -> ast.Module:
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    return ast.parse(Path(spec.origin).read_text())


def _imports(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import"
            # "from package import module" names a module, anything else what is in one.
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found.add(whole if whole in DECIDING else node.module or "")
    return found


@pytest.mark.parametrize("module", DECIDING)
def test_a_deciding_module_imports_nothing_that_acts(module: str) -> None:
    tree = _tree(module)
    imported = _imports(tree)
    acting = {name.partition(".")[0] for name in imported} & ACTING
    assert acting <= VALUES_ONLY.get(module, set())
    ours = {name for name in imported if name.startswith("dcodex_")}
    assert {name for name in ours if not name.startswith("dcodex_proto.")} <= set(DECIDING)
    called = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not called & BUILT_IN


@pytest.mark.parametrize(
    ("package", "allowed"),
    [
        ("dcodex_shared", {"dcodex_shared"}),
        ("dcodex_coordinator", {"dcodex_shared", "dcodex_coordinator"}),
        ("dcodex_gateway", {"dcodex_shared", "dcodex_gateway", "dcodex_proto"}),
        ("dcodex_worker", {"dcodex_shared", "dcodex_worker"}),
    ],
)
def test_a_part_imports_itself_and_what_is_shared(package: str, allowed: set[str]) -> None:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    for path in Path(spec.origin).parent.rglob("*.py"):
        imported = _imports(ast.parse(path.read_text()))
        ours = {name.partition(".")[0] for name in imported if name.startswith("dcodex")}
        assert ours <= allowed, path
