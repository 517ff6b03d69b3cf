import threading, queue, concurrent.futures as cf
q = queue.Queue(); total = []
def work():
    while (n := q.get()) is not None:
        total.append(n * n)
ts = [threading.Thread(target=work) for _ in range(8)]
[t.start() for t in ts]; [q.put(n) for n in range(1000)]; [q.put(None) for _ in ts]; [t.join() for t in ts]
assert sum(total) == sum(n * n for n in range(1000))
with cf.ThreadPoolExecutor(8) as pool: assert list(pool.map(str, range(50))) == list(map(str, range(50)))
b = threading.Barrier(3); c = threading.Condition(); local = threading.local(); t = threading.Timer(0.01, lambda: None); t.start(); t.join()
print("fine")
