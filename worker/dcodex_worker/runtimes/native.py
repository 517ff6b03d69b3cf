"""C and C++: a compile in a sandbox of its own, then the program in another."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass

from dcodex_shared.limits import Limits
from dcodex_shared.program import Program
from dcodex_worker.runtimes.compile_cache import CompileCache
from dcodex_worker.runtimes.environment import environment_of
from dcodex_worker.runtimes.stage import CompileLost, Stage
from dcodex_worker.sandbox.box import Launch, Sandbox
from dcodex_worker.template.launcher import ENVIRONMENT
from dcodex_worker.template.starter import TemplatePlan

#: What the linked program is called, as by hand.
PRODUCT = "a.out"
#: Asking a compiler for its version, in seconds.
PROBE_TIMEOUT_S = 20.0

_COMPILERS = {"c": ("gcc", "cc"), "cpp": ("g++", "c++")}
_SOURCES = {"c": (".c",), "cpp": (".cpp", ".cc", ".cxx", ".c++", ".C")}
#: A program that uses OpenMP says so; linking its runtime into all others costs milliseconds.
_OPENMP = re.compile(rb"#\s*pragma\s+omp\b|#\s*include\s*[<\"]omp\.h")


@dataclass(frozen=True, slots=True)
class Compiler:
    """A compiler that this machine has."""

    language: str
    path: str
    version: str
    #: Options for every compile: pipes instead of temporary files, and a fast linker.
    options: tuple[str, ...]


def find() -> dict[str, Compiler]:
    """The compilers of this machine below /usr, by language."""
    found = {}
    mold = shutil.which("mold", path="/usr/bin") is not None
    options = ("-pipe", "-fuse-ld=mold") if mold else ("-pipe",)
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
                found[language] = Compiler(language, path, version, options)
                break
    return found


def template_plan(interpreter: str, extra: tuple[str, ...]) -> TemplatePlan:
    """A bare interpreter, which only arms and executes: small, so that it forks fast."""
    return TemplatePlan("native", interpreter, (), extra)


def command_line(compiler: Compiler, program: Program) -> tuple[str, ...]:
    """How the program is compiled: as by hand, every source file named, the entry point first."""
    others = sorted(
        file.path
        for file in program.files
        if file.path.endswith(_SOURCES[compiler.language]) and file.path != program.entry_point
    )
    options = list(compiler.options)
    if any(_OPENMP.search(file.content) for file in program.files):
        options.append("-fopenmp")
    return (
        os.path.basename(compiler.path),
        *options,
        *program.compile_args,
        "-o",
        PRODUCT,
        program.entry_point,
        *others,
        # Last, so that a C program need not ask for the part of libc that has a file of its own.
        *(("-lm",) if compiler.language == "c" else ()),
    )


class ArmedNative:
    """Two sandboxes: one for the compiler, one for what it makes."""

    def __init__(
        self,
        compiler: Compiler,
        compile_limits: Limits,
        cache: CompileCache,
        compile_sandbox: Sandbox,
        run_sandbox: Sandbox,
    ) -> None:
        self.language = compiler.language
        self.compile_cache_hit = False
        self._compiler = compiler
        self._compile_limits = compile_limits
        self._cache = cache
        self._compile_sandbox = compile_sandbox
        self._run_sandbox = run_sandbox
        self._program: Program
        self._key = ""
        #: An open program, to be closed by destroy(); -1: none.
        self._executable = -1

    def begin(self, program: Program) -> Stage:
        """Compile it, or run at once what an equal compile has made before."""
        argv = command_line(self._compiler, program)
        self._program = program
        self._key = self._cache.key(self._compiler.version, argv, program.files)
        self._executable = self._cache.open(self._key)
        if self._executable >= 0:
            self.compile_cache_hit = True
            return self._run_stage()
        launch = Launch(
            files=program.files,
            argv=argv,
            environment=tuple(ENVIRONMENT.items()),
            limits=self._compile_limits,
            path=self._compiler.path,
        )
        return Stage(self._compile_sandbox, launch, compiling=True)

    def after_compile(self) -> Stage:
        """The run of what the compiler left."""
        self._executable, self._compile_sandbox.product = self._compile_sandbox.product, -1
        if self._executable < 0:
            raise CompileLost("the compiler left no program")
        self._cache.store(self._key, self._executable)
        return self._run_stage()

    def destroy(self) -> None:
        """Kill what is left of both and wait for it."""
        if self._executable >= 0:
            os.close(self._executable)
            self._executable = -1
        try:
            self._compile_sandbox.destroy()
        finally:
            self._run_sandbox.destroy()

    def _run_stage(self) -> Stage:
        program = self._program
        # Programs read data files that came with them, not their own text.
        sources = _SOURCES[self.language]
        launch = Launch(
            files=tuple(file for file in program.files if not file.path.endswith(sources)),
            argv=(f"./{PRODUCT}", *program.args),
            environment=environment_of(program),
            limits=program.limits,
            path=f"./{PRODUCT}",
            executable=self._executable,
        )
        return Stage(self._run_sandbox, launch, compiling=False)
