# Burns more CPU time than RLIMIT_CPU allows a process, and says so.
import time
while time.process_time() < 2.5:
    pass
print("LEAK:burnt")
