"""The worker host as a process.

Exit status: 0 drained on request, 1 failed (the log says why), 2 a setting is wrong.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence

from dcodex_shared import logs
from dcodex_shared.config import ConfigError, WorkerSettings, parse_settings
from dcodex_shared.descriptors import raise_limit
from dcodex_worker import host

log = logging.getLogger(__name__)


def main(argv: Sequence[str]) -> int:
    """Read the settings, serve until told to end."""
    about = "Run one machine's workers: warm templates, worker processes and their sandboxes."
    settings = parse_settings(WorkerSettings, argv, os.environ, "dcodex worker", about)
    raise_limit()
    logs.configure("host", settings.log_level, settings.log_format)
    try:
        return host.run(settings)
    except ConfigError as error:
        log.error("a setting is wrong error=%s", error)
        return 2
    except Exception:
        log.exception("the host failed")
        return 1
