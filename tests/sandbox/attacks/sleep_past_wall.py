# Sleeps past its wall limit.
import time
print("asleep", flush=True)
time.sleep(600)
print("LEAK:awake")
