import multiprocessing as mp
print("imported as", __name__)
def work(q):
    q.put("from the child")
if __name__ == "__main__":
    context = mp.get_context("spawn")
    q = context.Queue()
    p = context.Process(target=work, args=(q,))
    p.start()
    print(q.get())
    p.join()
    print(p.exitcode)
