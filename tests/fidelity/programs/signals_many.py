import signal,os,time,threading
def h(n,f): print("got",signal.Signals(n).name)
for s in (signal.SIGUSR1,signal.SIGUSR2,signal.SIGHUP,signal.SIGTERM,signal.SIGALRM,signal.SIGCHLD,signal.SIGPIPE,signal.SIGWINCH,signal.SIGCONT,signal.SIGRTMIN): signal.signal(s,h); os.kill(os.getpid(),s); time.sleep(0.01)
signal.setitimer(signal.ITIMER_REAL,0.02); signal.pause()
signal.pthread_sigmask(signal.SIG_BLOCK,[signal.SIGUSR1]); os.kill(os.getpid(),signal.SIGUSR1); print(signal.sigpending()); print(signal.sigwait([signal.SIGUSR1]))
try:
    signal.signal(signal.SIGINT,signal.default_int_handler); os.kill(os.getpid(),signal.SIGINT); time.sleep(1)
except KeyboardInterrupt: print("int")
print(signal.getsignal(signal.SIGTSTP),signal.getsignal(signal.SIGXFSZ),signal.strsignal(9),len(signal.valid_signals()))
r,w=os.pipe(); os.set_blocking(w,False); signal.set_wakeup_fd(w); os.kill(os.getpid(),signal.SIGUSR2); print(os.read(r,10))
