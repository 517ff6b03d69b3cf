import multiprocessing as mp
def f(d,l,i): d[i]=i*i; l.append(i)
if __name__=="__main__":
    with mp.Manager() as m:
        d=m.dict(); l=m.list()
        ps=[mp.Process(target=f,args=(d,l,i)) for i in range(4)]
        [p.start() for p in ps]; [p.join() for p in ps]
        print(sorted(d.items()),sorted(l))
    with mp.get_context("forkserver").Pool(2) as p: print(p.map(abs,[-1,-2]))
    with mp.get_context("spawn").Pool(2) as p: print(p.map(abs,[-1,-2]))
