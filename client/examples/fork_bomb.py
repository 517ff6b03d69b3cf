"""Forks without end: the limit on processes contains it, and all of them are gone afterwards."""

import os

children = 0
while True:
    try:
        if os.fork() == 0:
            continue
    except OSError as error:
        raise SystemExit(f"no more processes after {children} of mine: {error.strerror}")
    children += 1
