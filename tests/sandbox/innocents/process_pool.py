from concurrent.futures import ProcessPoolExecutor, as_completed
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
if __name__ == "__main__":
    with ProcessPoolExecutor(4) as pool:
        fs = [pool.submit(fib, n) for n in range(18)]
        assert sum(f.result() for f in as_completed(fs)) == 4180
    print("fine")
