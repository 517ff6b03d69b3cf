# Starts threads until refused; the program catches it and goes on well.
import threading, sys
from probe import require_walls
require_walls()
stop, made = threading.Event(), 0
threading.stack_size(64 * 1024)
threads = []
try:
    while made < 5000:
        thread = threading.Thread(target=stop.wait)
        thread.start()
        threads.append(thread)
        made += 1
except RuntimeError:
    print("CONTAINED", made)
else:
    print("LEAK:no-bound")
stop.set()
