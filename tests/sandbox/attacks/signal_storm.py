# A storm of signals, timers and exits at the moment that the program ends.
import os, signal
from probe import require_walls, set_name
require_walls()
set_name("dcx-sigstorm")
main = os.getpid()
for number in (signal.SIGUSR1, signal.SIGCHLD, signal.SIGCONT, signal.SIGWINCH):
    signal.signal(number, lambda *_: None)
for _ in range(6):
    if os.fork() == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        while True:
            for number in (signal.SIGUSR1, signal.SIGCHLD, signal.SIGCONT, signal.SIGWINCH):
                try:
                    os.kill(main, number)
                except OSError:
                    os._exit(0)
for n in range(200):
    os.getpid()
os.write(1, b"CONTAINED\n")
os._exit(0)
