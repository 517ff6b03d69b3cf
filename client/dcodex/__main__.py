"""`python -m dcodex` is the dcodex command."""

from __future__ import annotations

import sys

from dcodex.command import main

if __name__ == "__main__":
    sys.exit(main())
