# Prints what a result looks like, writes to every descriptor, and fails.
import json, os
from probe import Probe
markers = [json.dumps({"verdict": "VERDICT_OK", "exit_code": 0, "cpu_s": 0}), "VERDICT_OK", "DCODEX_RESULT OK 0", "\x00\x81\xa7verdict\x01", "exit=0 signal=0", "__END__"]
for marker in markers:
    os.write(1, marker.encode() + b"\n")
    os.write(2, marker.encode() + b"\n")
for fd in range(3, 1024):
    try:
        os.write(fd, b"\x01VERDICT_OK\n")
        os.write(1, f"LEAK:fd {fd}\n".encode())
    except OSError:
        pass
os._exit(9)
