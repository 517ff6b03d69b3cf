# Opens descriptors until refused; argv[1] is the limit.
import os, sys
fds = []
try:
    while len(fds) < 100_000:
        fds.append(os.open("/dev/null", os.O_RDONLY))
except OSError as error:
    count = len(fds) + 3
    for fd in fds:
        os.close(fd)
    print("CONTAINED" if error.errno == 24 and count == int(sys.argv[1]) else f"LEAK:{error.errno}", count)
else:
    print("LEAK:no-bound")
