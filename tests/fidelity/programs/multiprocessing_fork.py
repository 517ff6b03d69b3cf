import multiprocessing as mp
def work(n):
    return n * n
if __name__ == "__main__":
    with mp.get_context("fork").Pool(2) as pool:
        print(pool.map(work, range(5)))
