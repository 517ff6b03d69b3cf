"""Logging for every process: one line a record, for people or as JSON.

A message is constant, then key=value pairs; `execution_id` and `worker_id` always by those
names. No program text, output or token is ever logged.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time

#: A conversion of a message's template, and the name before it where there is one.
_FIELD = re.compile(r"(?:\b([a-z][a-z0-9_]*)=)?(%(?:[-#0+ ]*\d*(?:\.\d+)?[a-zA-Z]|%))")
#: A pair that stands in the template as it is.
_CONSTANT = re.compile(r"\b([a-z][a-z0-9_]*)=([^\s%]+)")
#: What a terminal or a reader of lines would take for more than text.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
#: What JSON has a form of its own for.
_PLAIN = (int, float, str, bool, type(None))
#: Of an exception's own text: enough to tell where it came from.
MAX_EXCEPTION_CHARS = 16 * 1024


class JsonFormatter(logging.Formatter):
    """One JSON object a line; the message's key=value pairs become members."""

    def __init__(self, process: str, members: dict[str, str] | None = None) -> None:
        """members: what every record of this process has."""
        super().__init__()
        self._process = process
        self._members = members or {}

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON."""
        entry: dict[str, object] = {
            "time": round(record.created, 6),
            "level": record.levelname.lower(),
            "process": self._process,
            "logger": record.name,
        }
        message, pairs = _split(record)
        entry["message"] = message
        for name, value in (*self._members.items(), *pairs):
            entry.setdefault(name, value)
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)[-MAX_EXCEPTION_CHARS:]
        return json.dumps(entry)


class HumanFormatter(logging.Formatter):
    """`12:00:01.234 info  gateway: message key=value`."""

    def __init__(self, process: str, members: dict[str, str] | None = None) -> None:
        """members: what every record of this process has, told as a part of its name."""
        super().__init__()
        self._process = " ".join((process, *(members or {}).values()))

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of text, a traceback below it."""
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        level = record.levelname.lower()
        # A newline in a value would let a peer forge a line of ours, an escape drive a terminal.
        text = _CONTROL.sub(lambda match: repr(match[0])[1:-1], record.getMessage())
        line = f"{clock}.{int(record.msecs):03d} {level:<7} {self._process}: {text}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)[-MAX_EXCEPTION_CHARS:]
        return line


def configure(process: str, level: str, form: str, **members: str) -> None:
    """Send this process's records to stderr from here on.

    members: what every record has, as worker_id in a worker.
    """
    handler = logging.StreamHandler(sys.stderr)
    formatter = JsonFormatter if form == "json" else HumanFormatter
    handler.setFormatter(formatter(process, members))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())


def _split(record: logging.LogRecord) -> tuple[str, list[tuple[str, object]]]:
    """The message without its pairs, and the pairs.

    They are told by the template, not by the text that came of it: a value that a peer chose
    may look like a pair of ours.
    """
    text = str(record.msg)
    pairs: list[tuple[str, object]] = [*_CONSTANT.findall(text)]
    text = _CONSTANT.sub("", text)
    # A template without arguments is no template, as logging has it.
    left = list(record.args) if isinstance(record.args, tuple) else []
    if left:

        def fill(match: re.Match[str]) -> str:
            if match[2] == "%%":
                return match[0].replace("%%", "%")
            value = left.pop(0)
            if match[1] is None:
                return match[2] % (value,)
            pairs.append((match[1], value if isinstance(value, _PLAIN) else str(value)))
            return ""

        text = _FIELD.sub(fill, text)
    return " ".join(text.split()), pairs
