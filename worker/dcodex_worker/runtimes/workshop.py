"""Where a worker gets its armed sandboxes: its keepers, one for each kind of sandbox.

A worker that changes its language keeps its keepers, of which there are a handful at most, and
gives up only what is armed for the other: a keeper at hand arms in milliseconds, while a new one
with its groups takes tens of them and, on a busy machine, hundreds.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace

from dcodex_shared.config import WorkerSettings
from dcodex_shared.limits import COMPILE_LIMITS, DEFAULT_LIMITS, Limits
from dcodex_worker.runtimes import attempt, native, python
from dcodex_worker.runtimes.benches import Benches
from dcodex_worker.runtimes.compile_cache import CompileCache
from dcodex_worker.runtimes.rack import Rack
from dcodex_worker.runtimes.slots import Slot
from dcodex_worker.runtimes.stage import Armed
from dcodex_worker.sandbox.box import Keeper, SetupError

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
        self._interpreter = python.find(settings)
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
        self._rack = Rack()
        self._keepers: dict[str, Keeper] = {}
        self._started_at: dict[str, float] = {}
        #: Leaves are named anew for each keeper: an old one may still be on its way out.
        self._leaves = 0

    def arm(self, language: str, awaited: bool = False) -> Armed:
        """Sandboxes for one execution; blocks for milliseconds. Raises SetupError.

        awaited: for a request that is here already. Nobody else goes first, and what is armed for
        another language is given up the next time.
        """
        if language == "python":
            kinds = self._interpreter.kinds()
            if not awaited:
                self._give_up_all_but(*kinds)
            for kind in kinds:
                self._provide(kind, kind, DEFAULT_LIMITS, awaited)
            return python.ArmedPython(self._rack, self._interpreter)
        compiler = self._compilers.get(language)
        if compiler is None:
            raise SetupError("languages", 0, f"this host cannot run {language}")
        if language not in self._benches:
            self._benches[language] = native.benches(compiler, self._headers_directory)
        benches = self._benches[language]
        if not awaited:
            self._give_up_all_but(native.COMPILE, native.RUN)
        if benches.prefers_another(self._rack.get(native.COMPILE)):
            self._rack.drop(native.COMPILE)
        self._provide(native.COMPILE, "native", self._compile_limits, awaited, attempt.PRODUCT)
        self._provide(native.RUN, "native", DEFAULT_LIMITS, awaited)
        return native.ArmedNative(compiler, self._compile_limits, self._cache, benches, self._rack)

    def close(self) -> None:
        """End all keepers."""
        for kind in list(self._keepers):
            self._close(kind)

    def _provide(
        self, kind: str, template: str, limits: Limits, awaited: bool, collect: str = ""
    ) -> None:
        """Have a spare sandbox of this kind."""
        keeper = self._keepers.get(kind)
        fit = keeper is not None and self._is_fit(kind, keeper)
        if fit and self._rack.get(kind) is not None:
            return
        if keeper is not None and fit:
            try:
                sandbox = keeper.arm(limits.memory_bytes, limits.processes, collect, awaited)
            except SetupError as error:
                log.warning("replacing a keeper kind=%s error=%s", kind, error)
            else:
                self._rack.put(kind, sandbox)
                return
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
            sandbox = keeper.arm(limits.memory_bytes, limits.processes, collect, awaited)
        except SetupError:
            self._close(kind)
            raise
        self._rack.put(kind, sandbox)

    def _is_fit(self, kind: str, keeper: Keeper) -> bool:
        """Whether the next sandbox may be this keeper's, in this leaf."""
        if self._is_old(kind):
            return False
        if self._rack.get(kind) is not None:
            # Nothing has run in it, but tools may wait in it.
            return True
        return keeper.leaf.memory_bytes() <= LEFTOVER_BYTES

    def _is_old(self, kind: str) -> bool:
        return time.monotonic() - self._started_at[kind] > KEEPER_RENEW_S

    def _give_up_all_but(self, *kinds: str) -> None:
        """Leave nothing armed of other kinds, and no keeper that keeps an old template alive."""
        for kind in [kind for kind in self._keepers if kind not in kinds]:
            try:
                self._rack.drop(kind)
            except SetupError:
                self._close(kind)
                raise
            if self._is_old(kind):
                self._close(kind)

    def _close(self, kind: str) -> None:
        keeper = self._keepers.pop(kind)
        try:
            self._rack.drop(kind)
        finally:
            keeper.close()
