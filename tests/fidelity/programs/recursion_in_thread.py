import sys,threading
sys.setrecursionlimit(20000)
def f(n): return 0 if n==0 else 1+f(n-1)
print(f(15000))
threading.stack_size(256*1024*1024); sys.setrecursionlimit(10**6)
t=threading.Thread(target=lambda:print(f(200000))); t.start(); t.join()
