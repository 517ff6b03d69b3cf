# Takes memory until stopped.
from probe import require_walls
require_walls()
blocks = []
for n in range(64 * 1024):
    blocks.append(bytearray(b"x") * (1 << 20))
print("LEAK:64-GiB")
