from concurrent.futures import ThreadPoolExecutor
import threading
pool = ThreadPoolExecutor(2)
turns = [threading.Event() for _ in range(4)]
def job(n):
    turns[n].wait()
    print("job", n)
    turns[n + 1].set()
for n in range(3):
    pool.submit(job, n)
print("main ends")
turns[0].set()
