import time
t = time.perf_counter(); time.sleep(0.05); assert 0.045 < time.perf_counter() - t < 1
assert time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID) > 0 and time.thread_time() >= 0 and time.localtime() and time.tzname
print("fine")
