import threading, queue
q, out = queue.Queue(3), []
def prod(): [q.put(i) for i in range(50)]; q.put(None)
def cons():
    while (x := q.get()) is not None: out.append(x)
t = [threading.Thread(target=f) for f in (prod, cons)]; [x.start() for x in t]; [x.join() for x in t]
assert out == list(range(50)); print(sum(out))
