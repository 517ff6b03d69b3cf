import os, signal, time, threading
got = []
for s in (signal.SIGUSR1, signal.SIGTERM, signal.SIGINT, signal.SIGALRM, signal.SIGHUP, signal.SIGCHLD): signal.signal(s, lambda n, f: got.append(n))
for s in (signal.SIGUSR1, signal.SIGTERM, signal.SIGINT, signal.SIGHUP): os.kill(os.getpid(), s)
signal.setitimer(signal.ITIMER_REAL, 0.01); time.sleep(0.05)
assert set(got) == {signal.SIGUSR1, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM}, got
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2}); os.kill(os.getpid(), signal.SIGUSR2); assert signal.sigwait({signal.SIGUSR2}) == signal.SIGUSR2
pid = os.fork()
if pid == 0: os._exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
pid = os.fork()
if pid == 0:
    signal.signal(signal.SIGTERM, signal.SIG_DFL); signal.pause()
os.kill(pid, signal.SIGKILL); assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -9
signal.signal(signal.SIGINT, signal.default_int_handler)
try: os.kill(os.getpid(), signal.SIGINT); time.sleep(1)
except KeyboardInterrupt: print("fine")
