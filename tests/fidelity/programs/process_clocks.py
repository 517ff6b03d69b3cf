import time
print(time.process_time()<0.5, time.perf_counter()>0, time.thread_time()<0.5)
import os
print(os.times().user<0.5, os.times().children_user)
import resource
u=resource.getrusage(resource.RUSAGE_SELF); print(u.ru_utime<0.5, u.ru_nswap)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime)
