# Searches its own memory, which is a fork's, for words of the host. argv: halves of words, in
# pairs; they are never put together here, so that what is found is not this search itself.
import sys
from probe import Probe
p = Probe()
pairs = [(a.encode(), b.encode()) for a, b in zip(sys.argv[1::2], sys.argv[2::2])]
found = set()
with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", buffering=0) as memory:
    for line in maps.read().splitlines():
        span, mode, *_ = line.split()
        if "r" not in mode or "[v" in line:
            continue
        start, end = (int(x, 16) for x in span.split("-"))
        for at in range(start, end, 1 << 20):
            try:
                memory.seek(at)
                data = memory.read(min(1 << 20, end - at) + 0)
            except (OSError, OverflowError, ValueError):
                continue
            for number, (left, right) in enumerate(pairs):
                where = data.find(left)
                while where >= 0:
                    if data[where + len(left):where + len(left) + len(right)] == right:
                        found.add(number)
                    where = data.find(left, where + 1)
p.holds("no word of the host in memory", not found, str(sorted(found)))
p.finish()
