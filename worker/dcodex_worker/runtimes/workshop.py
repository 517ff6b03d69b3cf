"""Where a worker gets its armed sandboxes: its keepers, one for each kind of sandbox."""

from __future__ import annotations

import logging
import time
from dataclasses import replace

from dcodex_shared.config import WorkerSettings
from dcodex_shared.limits import COMPILE_LIMITS, DEFAULT_LIMITS, Limits
from dcodex_worker.runtimes import attempt, native, python
from dcodex_worker.runtimes.benches import Benches
from dcodex_worker.runtimes.compile_cache import CompileCache
from dcodex_worker.runtimes.slots import Slot
from dcodex_worker.runtimes.stage import Armed
from dcodex_worker.sandbox.box import Keeper, Sandbox, SetupError

#: A keeper is replaced after this many seconds, so that a renewed template reaches everyone.
KEEPER_RENEW_S = 900.0
#: The kernel frees some of a dead program's memory late (shared memory of its IPC namespace). A
#: leaf with more than this, in bytes, is left to it: the next program's peak would show it.
LEFTOVER_BYTES = 24 << 20

log = logging.getLogger(__name__)


class Workshop:
    """One worker's. Raises SetupError where a language cannot be set up at all."""

    def __init__(self, settings: WorkerSettings, slot: Slot) -> None:
        self._slot = slot
        self._tmpfs_bytes = settings.tmpfs_bytes
        self._interpreter = python.find(settings).path
        self._compilers = native.find()
        self._cache = CompileCache(native.cache_directory(settings), settings.compile_cache_bytes)
        self._headers_directory = native.headers_directory(settings)
        #: By language; made when first needed, since a compiler is asked.
        self._benches: dict[str, Benches] = {}
        self._compile_limits = replace(
            COMPILE_LIMITS,
            cpu_s=settings.compile_cpu_limit,
            wall_s=settings.compile_wall_limit,
            memory_bytes=settings.compile_memory_limit,
        )
        self._keepers: dict[str, Keeper] = {}
        self._started_at: dict[str, float] = {}
        #: Leaves are named anew for each keeper: an old one may still be on its way out.
        self._leaves = 0

    def arm(self, language: str) -> Armed:
        """Sandboxes for one execution; blocks for milliseconds. Raises SetupError."""
        if language == "python":
            self._keep_only("python")
            return python.ArmedPython(
                self._sandbox("python", "python", DEFAULT_LIMITS), self._interpreter
            )
        compiler = self._compilers.get(language)
        if compiler is None:
            raise SetupError("languages", 0, f"this host cannot run {language}")
        self._keep_only("compile", "run")
        compiling = self._sandbox("compile", "native", self._compile_limits, attempt.PRODUCT)
        try:
            running = self._sandbox("run", "native", DEFAULT_LIMITS)
        except SetupError:
            compiling.destroy()
            raise
        if language not in self._benches:
            self._benches[language] = native.benches(compiler, self._headers_directory)
        try:
            return native.ArmedNative(
                compiler,
                self._compile_limits,
                self._cache,
                self._benches[language],
                compiling,
                running,
            )
        except SetupError:
            compiling.destroy()
            running.destroy()
            raise

    def close(self) -> None:
        """End all keepers."""
        self._keep_only()

    def _sandbox(self, kind: str, template: str, limits: Limits, collect: str = "") -> Sandbox:
        keeper = self._keepers.get(kind)
        if keeper is not None and self._is_fit(kind, keeper):
            try:
                return keeper.arm(limits.memory_bytes, limits.processes, collect)
            except SetupError as error:
                log.warning("replacing a keeper kind=%s error=%s", kind, error)
        if keeper is not None:
            self._close(kind)
        self._leaves += 1
        keeper = Keeper(
            f"{self._slot.templates}/{template}.sock",
            self._slot.tree,
            f"{self._slot.leaf_prefix}{kind}-{self._leaves}",
            self._slot.identity,
            self._tmpfs_bytes,
        )
        self._keepers[kind] = keeper
        self._started_at[kind] = time.monotonic()
        try:
            return keeper.arm(limits.memory_bytes, limits.processes, collect)
        except SetupError:
            self._close(kind)
            raise

    def _is_fit(self, kind: str, keeper: Keeper) -> bool:
        """Whether the next sandbox may be this keeper's, in this leaf."""
        if time.monotonic() - self._started_at[kind] > KEEPER_RENEW_S:
            return False
        return keeper.leaf.memory_bytes() <= LEFTOVER_BYTES

    def _keep_only(self, *kinds: str) -> None:
        """A worker that changes its language does not keep the other's processes."""
        for kind in [kind for kind in self._keepers if kind not in kinds]:
            self._close(kind)

    def _close(self, kind: str) -> None:
        self._keepers.pop(kind).close()
