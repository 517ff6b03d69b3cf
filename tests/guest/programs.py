"""The programs that the guest runs."""

from __future__ import annotations

HELLO = "print('hello')"

HELLO_C = '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n'

#: Takes more memory than it may, alone.
HOG = "data = []\nwhile True: data.append(b'x' * (1 << 20))"

#: None of its processes takes much, all together do; the first one ends well.
HOG_IN_EIGHT = """
import os
for _ in range(8):
    if os.fork() == 0:
        data = b'x' * (12 << 20)
        os.read(os.pipe()[0], 1)
os.wait()
"""

#: Its files are on tmpfs, which is memory.
HOG_ON_DISK = "f = open('/tmp/x', 'wb')\nwhile True: f.write(b'x' * (1 << 20)); f.flush()"

KILLS_ITSELF = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"

#: Prints how many processes it may have besides itself.
COUNTS_FORKS = """
import os
count = 0
r, w = os.pipe()
while True:
    try:
        pid = os.fork()
    except OSError:
        break
    if pid == 0:
        os.close(w)
        os.read(r, 1)
        os._exit(0)
    count += 1
print(count)
raise SystemExit(3)
"""

FORK_BOMB = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"

#: Burns SECONDS in each of two grandchildren that nobody waits for.
BURNS = """
import os, time
r, w = os.pipe()
for _ in range(2):
    if os.fork() == 0:
        if os.fork() == 0:
            os.setsid()
            end = time.process_time() + SECONDS
            while time.process_time() < end: pass
            os.write(w, b'.')
        os._exit(0)
os.close(w)
while os.read(r, 1): pass
print('burnt')
"""

#: Leaves a daemon of every kind behind: stopped, deaf to signals, in a session of its own.
LEAVES_DAEMONS = """
import os, signal, time
r, w = os.pipe()
for kind in range(9):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in range(1, 32):
                try: signal.signal(number, signal.SIG_IGN)
                except OSError: pass
            for fd in (0, 1, 2): os.close(fd)
            os.write(w, b'.')
            if kind % 3 == 0: os.kill(os.getpid(), signal.SIGSTOP)
            while True:
                if kind % 3 == 1: time.sleep(1)
        os._exit(0)
for _ in range(9): os.read(r, 1)
print('left')
"""


def takes(mebibytes: int) -> str:
    """Takes that much memory at one time."""
    return f"data = b'x' * ({mebibytes} << 20)\nprint(len(data))"


#: What a program sees of control groups.
LOOKS = """
import os
print(os.path.exists('/sys/fs/cgroup'), 'cgroup' in open('/proc/self/mounts').read())
"""
