# Writes one file past the file size limit (argv[1] bytes).
import os, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
limit, total = int(sys.argv[1]), 0
fd = os.open("/work/big", os.O_CREAT | os.O_WRONLY)
try:
    while total < 4 * limit:
        total += os.write(fd, b"x" * 65536)
except OSError as error:
    print("CONTAINED" if total <= limit and error.errno == 27 else f"LEAK:{error.errno}", total)
else:
    print("LEAK:no-bound")
