import multiprocessing as mp
def work(n):
    return n + 1
if __name__ == "__main__":
    with mp.get_context("forkserver").Pool(1) as pool:
        print(pool.map(work, [1, 2]))
