"""`python -m dcodex_worker.runtimes.make_headers`: the process that fills a header store."""

from __future__ import annotations

import sys

from dcodex_worker.runtimes.header_store import main

sys.exit(main(sys.argv[1:]))
