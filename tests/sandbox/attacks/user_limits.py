# Uses up what the kernel counts by user. argv[1]: hold (all of it), or look (whether any is left).
import ctypes, sys, time
libc = ctypes.CDLL(None)
made = 0
while libc.inotify_init() >= 0:
    made += 1
    if sys.argv[1] == "look":
        break
if sys.argv[1] == "hold":
    print("READY", made, flush=True)
    time.sleep(60)
print("CONTAINED" if made else "LEAK:nothing is left")
