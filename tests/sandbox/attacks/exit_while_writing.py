# Ends while children still hold and fill its pipes: what main wrote before is all there.
import os
from probe import set_name
set_name("dcx-writer")
os.write(1, b"first\n")
for _ in range(4):
    if os.fork() == 0:
        os.setsid()
        while True:
            os.write(2, b"x" * 4096)
os._exit(5)
