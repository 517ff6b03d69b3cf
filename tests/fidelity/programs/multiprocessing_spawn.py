import multiprocessing as mp
def work(q):
    q.put(("from the child", __name__))
if __name__ == "__main__":
    context = mp.get_context("spawn")
    q = context.Queue()
    p = context.Process(target=work, args=(q,))
    p.start()
    print(q.get())
    p.join()
    print(p.exitcode)
