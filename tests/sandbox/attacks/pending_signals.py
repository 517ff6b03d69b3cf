# Queues signals to itself until it is refused.
import ctypes, os, signal
libc = ctypes.CDLL(None, use_errno=True)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGRTMIN})
made = 0
while made < 10000 and libc.sigqueue(os.getpid(), int(signal.SIGRTMIN), ctypes.c_void_p(0)) == 0:
    made += 1
print("CONTAINED" if made < 10000 else "LEAK:no-bound", made)
