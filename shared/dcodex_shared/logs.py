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

_PAIR = re.compile(r"\b([a-z_]+)=('[^']*'|\"[^\"]*\"|\S+)")


class JsonFormatter(logging.Formatter):
    """One JSON object a line; the message's key=value pairs become members."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON."""
        text = record.getMessage()
        entry: dict[str, object] = {
            "time": round(record.created, 6),
            "level": record.levelname.lower(),
            "process": self._process,
            "logger": record.name,
            "message": _PAIR.sub("", text).strip(),
        }
        for name, value in _PAIR.findall(text):
            entry.setdefault(name, value.strip("'\""))
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry)


class HumanFormatter(logging.Formatter):
    """`12:00:01.234 info  gateway: message key=value`."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of text, a traceback below it."""
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        level = record.levelname.lower()
        # A newline in a value would let a peer forge a line of ours.
        text = record.getMessage().replace("\n", "\\n")
        line = f"{clock}.{int(record.msecs):03d} {level:<7} {self._process}: {text}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


def configure(process: str, level: str, form: str) -> None:
    """Send this process's records to stderr from here on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(process) if form == "json" else HumanFormatter(process))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
