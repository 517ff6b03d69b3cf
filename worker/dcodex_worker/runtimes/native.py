"""C and C++: a compile in a sandbox of its own, then the program in another.

A compile is tried fast first: with a precompiled header where the compiler itself would take
one, without temporary files, with the fastest linker. What the user sees must not differ from a
compile by hand, so whatever of it could (attempt.py says what) is thrown away, and the same
sandbox compiles once more, by hand. A program of the same kind as the last one finds the tools
started already (benches.py).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass

from dcodex_shared.config import WorkerSettings
from dcodex_shared.limits import Limits
from dcodex_shared.program import Program
from dcodex_worker.runtimes import attempt, header_store, openings
from dcodex_worker.runtimes.attempt import PRODUCT
from dcodex_worker.runtimes.benches import Benches
from dcodex_worker.runtimes.command_line import environment_of
from dcodex_worker.runtimes.compile_cache import CompileCache
from dcodex_worker.runtimes.headers import candidates
from dcodex_worker.runtimes.rack import Rack
from dcodex_worker.runtimes.stage import CompileLost, Stage
from dcodex_worker.sandbox.box import Launch, Sandbox
from dcodex_worker.template.launcher import ENVIRONMENT
from dcodex_worker.template.starter import TemplatePlan

#: Where compiled programs and headers are kept, where the operator does not say.
DEFAULT_CACHE_DIRECTORY = "/var/cache/dcodex"
#: Asking a compiler for its version, in seconds.
PROBE_TIMEOUT_S = 20.0

#: Kinds of sandboxes.
COMPILE = "compile"
RUN = "run"

_COMPILERS = {"c": ("gcc", "cc"), "cpp": ("g++", "c++")}
_SHELL = "/bin/sh"


@dataclass(frozen=True, slots=True)
class Compiler:
    """A compiler that this machine has."""

    language: str
    path: str
    version: str
    #: Where the linker mold is; "" where it is not.
    mold: str


def find() -> dict[str, Compiler]:
    """The compilers of this machine below /usr, by language."""
    found = {}
    mold = shutil.which("mold", path="/usr/bin") or ""
    for language, names in _COMPILERS.items():
        for name in names:
            path = shutil.which(name, path="/usr/bin")
            if path is None:
                continue
            version = subprocess.run(
                [path, "-dumpfullversion", "-dumpversion"],
                capture_output=True,
                timeout=PROBE_TIMEOUT_S,
                check=False,
                text=True,
            ).stdout.strip()
            if version:
                found[language] = Compiler(language, path, version, mold)
                break
    return found


def cache_directory(settings: WorkerSettings) -> str:
    """Where compiled programs are kept."""
    return settings.compile_cache_dir or DEFAULT_CACHE_DIRECTORY


def headers_directory(settings: WorkerSettings) -> str:
    """Where precompiled headers are kept: all that sandboxes see of the cache."""
    return os.path.join(cache_directory(settings), "headers")


def template_plan(interpreter: str, extra: tuple[str, ...], headers: str) -> TemplatePlan:
    """A bare interpreter, which only arms and executes: small, so that it forks fast.

    headers: the host's directory of precompiled headers, or "".
    """
    shown = ((headers, header_store.SHOWN),) if headers else ()
    return TemplatePlan("native", interpreter, (), extra, shown)


def benches(compiler: Compiler, headers: str) -> Benches:
    """What a worker has waiting for a compiler; headers: headers_directory()'s.

    Asks the compiler.
    """
    store = None
    if compiler.language == "cpp":
        store = header_store.HeaderStore(headers, compiler.path)
    return Benches(compiler.path, compiler.language, compiler.mold, headers, store)


class ArmedNative:
    """Two sandboxes: one for the compiler, one for what it makes."""

    def __init__(
        self,
        compiler: Compiler,
        compile_limits: Limits,
        cache: CompileCache,
        benches: Benches,
        rack: Rack,
    ) -> None:
        """rack: has both sandboxes. Starts tools in the first; raises SetupError."""
        self.language = compiler.language
        self.compile_cache_hit = False
        self._compiler = compiler
        self._compile_limits = compile_limits
        self._cache = cache
        self._benches = benches
        self._rack = rack
        #: What was taken from the rack, to be destroyed.
        self._compile_sandbox: Sandbox | None = None
        self._run_sandbox: Sandbox | None = None
        self._program: Program
        self._key = ""
        #: Whether another compile, at another time, would make the same.
        self._lasting = False
        #: Whether it made a program that is to be kept.
        self._storing = False
        #: An open program, to be closed by destroy(); -1: none.
        self._executable = -1
        spare = rack.get(COMPILE)
        assert spare is not None
        if spare.prepared is None and (bench := benches.next()) is not None:
            prepared, plan = bench
            spare.sandbox.prepare(plan, tuple(ENVIRONMENT.items()), compile_limits)
            spare.prepared = prepared
        #: For which compiles tools wait in the compile sandbox, if any do.
        self._prepared = spare.prepared
        self._spare = spare.sandbox

    def preparing(self) -> int:
        """A descriptor that ends when the tools wait; -1: they do."""
        return self._spare.preparing

    def listener(self) -> int:
        """The tools' one."""
        return self._spare.listener

    def answer(self, happened: int) -> None:
        """Have answered what they ask."""
        self._spare.answer(happened)

    def begin(self, program: Program) -> Stage:
        """Compile it, or run at once what an equal compile has made before."""
        compiler = self._compiler
        by_hand = attempt.by_hand(os.path.basename(compiler.path), program)
        self._program = program
        self._key = self._cache.key(compiler.version, by_hand, program.files)
        self._lasting = attempt.is_lasting(program)
        self._executable = self._cache.open(self._key) if self._lasting else -1
        self.compile_cache_hit = self._executable >= 0
        self._benches.remember(program, self.compile_cache_hit)
        if self.compile_cache_hit:
            return self._run_stage()
        suitable = candidates(program.compile_args, attempt.sources(program))
        search = self._benches.search(program.compile_args) if suitable else ()
        options = attempt.options(program, search, bool(compiler.mold))
        argv = (_SHELL, "-c", attempt.script(by_hand, options))
        prepared = self._prepared
        benched = (
            prepared is not None
            and (prepared.language, prepared.arguments) == (self.language, program.compile_args)
            and attempt.is_plain(program)
            and (bool(suitable) or self.language == "c")
        )
        foreseen = (
            benched
            and prepared is not None
            and openings.fits(
                prepared.opening,
                attempt.sources(program)[0],
                (file.content for file in program.files),
            )
        )
        launch = Launch(
            files=program.files,
            argv=argv,
            environment=tuple(ENVIRONMENT.items()),
            limits=self._compile_limits,
            path=_SHELL,
            benched=benched,
            foreseen=foreseen,
        )
        self._compile_sandbox = self._rack.take(COMPILE)
        return Stage(self._compile_sandbox, launch, compiling=True)

    def after_compile(self) -> Stage:
        """The run of what the compiler left."""
        assert self._compile_sandbox is not None
        self._executable, self._compile_sandbox.product = self._compile_sandbox.product, -1
        if self._executable < 0:
            raise CompileLost("the compiler left no program")
        self._storing = self._lasting
        return self._run_stage()

    def run_begun(self) -> None:
        """Keep what was compiled while it runs."""
        if self._storing:
            self._cache.store(self._key, self._executable)

    def destroy(self) -> None:
        """Kill what is left in those that were used, and wait for it."""
        if self._executable >= 0:
            os.close(self._executable)
            self._executable = -1
        try:
            if self._compile_sandbox is not None:
                self._compile_sandbox.destroy()
        finally:
            if self._run_sandbox is not None:
                self._run_sandbox.destroy()

    def _run_stage(self) -> Stage:
        program = self._program
        # Programs read data files that came with them, not their own text.
        sources = attempt.SUFFIXES[self.language]
        launch = Launch(
            files=tuple(file for file in program.files if not file.path.endswith(sources)),
            argv=(f"./{PRODUCT}", *program.args),
            environment=environment_of(program),
            limits=program.limits,
            path=f"./{PRODUCT}",
            executable=self._executable,
        )
        self._run_sandbox = self._rack.take(RUN)
        return Stage(self._run_sandbox, launch, compiling=False)
