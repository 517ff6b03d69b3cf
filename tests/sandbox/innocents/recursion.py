import sys, threading
sys.setrecursionlimit(200000)
def depth(n): return 0 if n == 0 else 1 + depth(n - 1)
assert depth(15000) == 15000
threading.stack_size(64 << 20); out = []
t = threading.Thread(target=lambda: out.append(depth(40000))); t.start(); t.join(); assert out == [40000]
print("fine")
