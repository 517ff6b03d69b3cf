"""`dcodex repl`: a conversation with the farm.

For Python it is one program that lives as long as the conversation: Python's own interactive
console inside a sandbox, so names stay defined; its prompts come back as output, and each
is answered with a line edited here. For a compiled language every text up to a line with a
single dot is a program of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
from collections.abc import Sequence
from typing import TextIO

import dcodex
from dcodex.command.connection import (
    ServiceError,
    complain,
    new_parser,
    open_client,
    plain_errors,
)
from dcodex.command.outcome import EXIT_INTERRUPTED, EXIT_SERVICE, reason

TIMEOUT_S = 10.0
#: Python's two prompts, and the length of either.
PROMPTS = (">>> ", "... ")
PROMPT_CHARS = 4
#: What runs in the sandbox. It says no banner of its own: ours tells the limits.
_CONSOLE = "import code\ncode.interact(banner='', exitmsg='', local={'__name__': '__main__'})\n"

_EXAMPLES = """\
  dcodex repl                       Python; Ctrl-D ends it, Ctrl-C interrupts what runs
  dcodex repl --language cpp        programs, each ended by a line with a single dot
"""


def main(argv: Sequence[str]) -> int:
    """Talk until the end of input."""
    parser = new_parser("repl", "Type programs and see them run in a sandbox.", _EXAMPLES)
    parser.add_argument("--language", "-l", default="python", help="default: %(default)s")
    arguments = parser.parse_args(argv)
    _enable_line_editing()
    try:
        with open_client(arguments) as client, plain_errors(arguments.target):
            language = _find_language(client, arguments)
            if language.compiled:
                return _programs(client, language)
            return _console(client, language)
    except ServiceError as error:
        complain(str(error))
        return EXIT_SERVICE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _console(client: dcodex.Client, language: dcodex.Language) -> int:
    """One interactive console in one sandbox."""
    limits = dcodex.Limits(
        cpu_s=language.ceiling.cpu_s,
        wall_s=language.ceiling.wall_s,
        output_bytes=language.ceiling.output_bytes,
    )
    wall = f", for up to {limits.wall_s:g} s" if limits.wall_s else ""
    print(f"{language.name} {language.version} in a sandbox{wall}; Ctrl-D ends it")
    with client.execute(_CONSOLE, language=language.name, limits=limits, cache=False) as execution:
        line = ""  # what its last line of stdout holds so far
        while True:
            try:
                event = next(execution)
            except KeyboardInterrupt:
                execution.signal(signal.SIGINT)
                continue
            match event:
                case dcodex.Stdout(data):
                    text = data.decode(errors="replace")
                    line = (line + text).rpartition("\n")[2]
                    prompt = line[-PROMPT_CHARS:] if line.endswith(PROMPTS) else ""
                    unshown = min(len(prompt), len(text))
                    _write(sys.stdout, text[: len(text) - unshown])
                    if prompt:
                        _answer(execution, prompt[len(prompt) - unshown :])
                        line = ""
                case dcodex.Stderr(data):
                    _write(sys.stderr, data.decode(errors="replace"))
                case dcodex.Finished():
                    return _say_end(event)
                case _:
                    pass


def _write(stream: TextIO, text: str) -> None:
    stream.write(text)
    stream.flush()


def _answer(execution: dcodex.Execution, prompt: str) -> None:
    """Send the line that answers a prompt, or the end of input."""
    try:
        execution.send_stdin(input(prompt) + "\n")
    except EOFError:
        print()
        execution.close_stdin()
    except KeyboardInterrupt:
        # As at Python's own prompt: the line is forgotten.
        print("\nKeyboardInterrupt")
        _answer(execution, prompt)


def _programs(client: dcodex.Client, language: dcodex.Language) -> int:
    """One program after the other."""
    print(f"{language.name} {language.version}; a line with a single dot runs what is above it")
    while True:
        lines: list[str] = []
        try:
            while (line := input("... " if lines else f"{language.name}> ")) != ".":
                lines.append(line)
        except EOFError:
            print()
            return 0
        except KeyboardInterrupt:
            print()
            continue
        if any(map(str.strip, lines)):
            _run(client, language, "\n".join(lines) + "\n")


def _run(client: dcodex.Client, language: dcodex.Language, source: str) -> None:
    with client.execute(source, language=language.name, stdin_complete=True) as execution:
        try:
            for event in execution:
                match event:
                    case dcodex.Stdout(data):
                        _write(sys.stdout, data.decode(errors="replace"))
                    case dcodex.Stderr(data) | dcodex.CompilerOutput(data):
                        _write(sys.stderr, data.decode(errors="replace"))
                    case dcodex.Finished():
                        _say_end(event)
                    case _:
                        pass
        except KeyboardInterrupt:
            print("cancelled")


def _say_end(finished: dcodex.Finished) -> int:
    if line := reason(finished):
        complain(line)
    elif finished.exit_code:
        complain(f"exit status {finished.exit_code}")
    return 0


def _find_language(client: dcodex.Client, arguments: argparse.Namespace) -> dcodex.Language:
    languages = client.languages(timeout_s=TIMEOUT_S)
    for language in languages:
        if arguments.language.lower() in (language.name, *language.aliases):
            return language
    names = ", ".join(language.name for language in languages) or "nothing"
    raise ServiceError(f"this farm runs {names}, not {arguments.language}")


def _enable_line_editing() -> None:
    # A Python built without readline has a plain input(), which works all the same.
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401 -- importing it is what gives input() editing and history


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
