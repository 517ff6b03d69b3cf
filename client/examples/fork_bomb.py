"""Forks without end: the limit on processes contains it, and all of them are gone afterwards."""

import os

children = 0
while True:
    try:
        if os.fork() == 0:
            continue
    except OSError as error:
        # One write, so that the lines of many processes do not mix.
        os.write(2, f"no more processes after {children} of mine: {error.strerror}\n".encode())
        raise SystemExit(1)
    children += 1
