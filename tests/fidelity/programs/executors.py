from concurrent.futures import *
import math
def f(n): return math.factorial(n)%1000007
if __name__=="__main__":
    with ProcessPoolExecutor(3) as e: print(list(e.map(f,range(10)))); print([x.result() for x in as_completed([e.submit(f,5)])])
    with ThreadPoolExecutor(5) as e: print(list(e.map(f,range(10))))
    def bad(): raise KeyError("x")
    with ThreadPoolExecutor(1) as e:
        try: e.submit(bad).result()
        except KeyError as k: print(repr(k))
