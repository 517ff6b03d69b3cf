"""Which tools a worker has waiting in an armed compile sandbox: those of its last compile's kind.

A kind is a language and its options; a compiler of the kind has also read the headers that the
last programs began with (openings.py). The first compile of a kind goes through the compiler's
driver, which is then asked what it starts; see tools.py.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections import OrderedDict

from dcodex_shared.languages import BY_NAME
from dcodex_shared.limits import DEFAULT_LIMITS
from dcodex_shared.program import Program, SourceFile
from dcodex_worker.runtimes import attempt, header_store, hold, openings, tools
from dcodex_worker.runtimes.headers import Precompiled, options_that_matter
from dcodex_worker.runtimes.rack import Prepared, Spare

#: Kinds that are remembered: few are used again and again.
_MOST_KINDS = 16
#: Asking a driver what it would start, in seconds.
_ASK_TIMEOUT_S = 20.0

Arguments = tuple[str, ...]


class Benches:
    """One worker's, for one language."""

    def __init__(
        self,
        compiler: str,
        language: str,
        mold: str,
        directory: str,
        headers: header_store.HeaderStore | None,
    ) -> None:
        """compiler, mold: paths; directory: what sandboxes see as header_store.SHOWN."""
        self._compiler = compiler
        self._language = language
        self._mold = mold
        self._library = hold.name()
        self._directory = directory
        self._headers = headers
        #: By compiler options and whether headers are searched for; None: not understood.
        self._known: OrderedDict[tuple[Arguments, Arguments], dict[str, object] | None] = (
            OrderedDict()
        )
        #: Of the last compile; None where the next one is better not prepared for.
        self._arguments: Arguments | None = ()
        #: How the last compile's text began, and how the next one's is foreseen to.
        self._last_opening = self._opening = openings.USUAL[language]

    def remember(self, program: Program, cached: bool) -> None:
        """Take the next program for one of this kind; for a cached one if this was."""
        understood = options_that_matter(program.compile_args) is not None
        self._arguments = program.compile_args if understood and not cached else None
        texts = attempt.sources(program)
        if texts and not cached:
            opening = openings.opening(texts[0])
            self._opening = openings.foresee(self._last_opening, opening)
            self._last_opening = opening

    def next(self) -> tuple[Prepared, dict[str, object]] | None:
        """What the next compile may be like, and what to start for it."""
        path = os.path.join(self._directory, self._library)
        arguments = self._arguments
        if arguments is None or not self._mold or not os.path.exists(path):
            return None
        search = self.search(arguments)
        key = (arguments, search)
        if key not in self._known:
            self._known[key] = self._plan(arguments, search)
            if len(self._known) > _MOST_KINDS:
                self._known.popitem(last=False)
        plan = self._known[key]
        if plan is None:
            return None
        prepared = Prepared(self._language, arguments, self._opening)
        return prepared, {**plan, "ahead": self._opening.decode()}

    def prefers_another(self, spare: Spare | None) -> bool:
        """Whether the tools that wait in it are unlikely to be the next compile's."""
        if spare is None or spare.prepared is None or self._arguments is None:
            return False
        return (spare.prepared.language, spare.prepared.arguments) != (
            self._language,
            self._arguments,
        )

    def search(self, arguments: Arguments) -> Arguments:
        """Where any program with these options finds its precompiled header."""
        options = options_that_matter(arguments)
        if self._headers is None or options is None:
            return ()
        return self._headers.search_option((Precompiled("iostream", options),))

    def _plan(self, arguments: Arguments, search: Arguments) -> dict[str, object] | None:
        source = BY_NAME[self._language].default_file
        program = Program(
            language=self._language,
            files=(SourceFile(source, 0o644, b""),),
            entry_point=source,
            args=(),
            compile_args=arguments,
            environment=(),
            stdin=b"",
            stdin_complete=True,
            limits=DEFAULT_LIMITS,
        )
        options = attempt.options(program, search, mold=True)
        if "-fuse-ld=mold" not in options:
            return None
        command = attempt.by_hand(self._compiler, program)
        with tempfile.TemporaryDirectory(prefix="dcodex-") as folder:
            with open(os.path.join(folder, source), "w"):
                pass
            try:
                done = subprocess.run(
                    tools.question(command, options),
                    cwd=folder,
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=_ASK_TIMEOUT_S,
                    check=True,
                    text=True,
                    env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
                )
            except (OSError, subprocess.SubprocessError):
                return None
        found = tools.parse(
            done.stderr, os.path.join(os.path.dirname(self._mold), "as"), self._mold
        )
        if found is None:
            return None
        return {
            "library": f"{header_store.SHOWN}/{self._library}",
            "compiler": found.compiler,
            "assembler": found.assembler,
            "linker": found.linker,
            "source": source,
            "object": tools.OBJECT,
            "words": tools.WORDS,
            "different": attempt.DIFFERENT.encode(),
        }
