# Burns three seconds of one processor, or with argv[1] processes, each in a session of its own, for
# ever.
import os, sys, time
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
count = int(sys.argv[1])
for _ in range(count - 1):
    if os.fork() == 0:
        os.setsid()
        break
print("READY", flush=True)
end = time.monotonic() + (3 if count == 1 else 600)
while time.monotonic() < end:
    pass
