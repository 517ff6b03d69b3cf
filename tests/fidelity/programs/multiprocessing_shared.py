from multiprocessing import shared_memory, Process, Value, Array, Lock, Queue, Pipe, Barrier, Event, Semaphore
def w(name):
    s=shared_memory.SharedMemory(name); s.buf[0]=42; s.close()
def v(x,a,l):
    for _ in range(100):
        with l: x.value+=1
    a[0]=7
if __name__=="__main__":
    s=shared_memory.SharedMemory(create=True,size=100); p=Process(target=w,args=(s.name,)); p.start(); p.join(); print(s.buf[0]); s.close(); s.unlink()
    x=Value("i",0); a=Array("i",3); l=Lock(); ps=[Process(target=v,args=(x,a,l)) for _ in range(3)]; [p.start() for p in ps]; [p.join() for p in ps]; print(x.value,a[:])
    from multiprocessing.managers import SharedMemoryManager
    with SharedMemoryManager() as m: sl=m.ShareableList([1,"a",2.5]); print(list(sl))
    q=Queue(); q.put(1); print(q.get()); a,b=Pipe(); a.send([1]); print(b.recv())
