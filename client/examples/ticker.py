"""Prints a line every 100 ms; the lines arrive as they are printed."""

import time

start = time.monotonic()
for tick in range(1, 11):
    print(f"tick {tick:2} at {(time.monotonic() - start) * 1000:5.0f} ms")
    time.sleep(0.1)
