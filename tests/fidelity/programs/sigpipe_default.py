import signal, os
print(signal.getsignal(signal.SIGPIPE), signal.getsignal(signal.SIGINT).__name__, signal.getsignal(signal.SIGXFSZ))
print([signal.Signals(n).name for n in sorted(signal.valid_signals()) if n < 32 and signal.getsignal(n) not in (signal.SIG_DFL, None)])
print(signal.pthread_sigmask(signal.SIG_BLOCK, []))
