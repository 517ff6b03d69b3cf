import multiprocessing as mp, os
from multiprocessing import shared_memory, Pool, Queue, Process, Lock, Semaphore, Event, Value, Array, Manager, Pipe, Barrier
def square(n): return n * n
def add(value, lock):
    for _ in range(100):
        with lock: value.value += 1
def put(q): q.put(os.getpid())
def fill(name):
    m = shared_memory.SharedMemory(name=name); m.buf[0] = 42; m.close()
if __name__ == "__main__":
    for method in ("fork", "spawn", "forkserver"):
        with mp.get_context(method).Pool(3) as pool:
            assert pool.map(square, range(20)) == [n * n for n in range(20)], method
    v, lock = Value("i", 0), Lock()
    ps = [Process(target=add, args=(v, lock)) for _ in range(4)]
    [p.start() for p in ps]; [p.join() for p in ps]
    assert v.value == 400
    q = Queue(); p = Process(target=put, args=(q,)); p.start(); assert q.get(timeout=5) == p.pid; p.join()
    m = shared_memory.SharedMemory(create=True, size=4096)
    p = Process(target=fill, args=(m.name,)); p.start(); p.join(); assert m.buf[0] == 42; m.close(); m.unlink()
    a = Array("d", [1.0, 2.0]); assert list(a) == [1.0, 2.0]
    with Manager() as manager:
        d = manager.dict(); d["x"] = 1; assert dict(d) == {"x": 1}
    left, right = Pipe(); left.send({"a": 1}); assert right.recv() == {"a": 1}
    s = Semaphore(2); assert s.acquire() and s.acquire() and not s.acquire(block=False)
    print("fine")
