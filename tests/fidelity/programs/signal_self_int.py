import os, signal, time
print("before")
os.kill(os.getpid(), signal.SIGINT)
time.sleep(1)
