# Blocks in the kernel, opening a FIFO that nobody writes.
import os
os.mkfifo("/tmp/fifo")
print("opening", flush=True)
open("/tmp/fifo").read()
