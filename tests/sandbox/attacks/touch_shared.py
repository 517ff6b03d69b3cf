# Uses shared files, for watch_neighbours.py to see or not to see.
import os, time
end = time.monotonic() + 2.0
while time.monotonic() < end:
    for path in ("/dev/null", "/dev/urandom", "/usr/bin/env", "/usr/lib/os-release", "/etc/passwd"):
        if os.path.exists(path):
            with open(path, "rb") as file:
                file.read(16)
    os.listdir("/usr/bin")
    time.sleep(0.02)
print("CONTAINED")
