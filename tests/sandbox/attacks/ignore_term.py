# Ignores every signal it may, and sleeps.
import time
from probe import ignore_all_signals
ignore_all_signals()
print("deaf", flush=True)
while True:
    time.sleep(10)
