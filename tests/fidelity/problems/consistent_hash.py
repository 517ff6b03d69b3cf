import bisect, hashlib
h = lambda s: int(hashlib.md5(s.encode()).hexdigest(), 16)
def ring(ns): return sorted((h(f"{n}-{i}"), n) for n in ns for i in range(50))
def get(r, k): return r[bisect.bisect(r, (h(k),)) % len(r)][1]
a, b = ring("abc"), ring("abcd"); moved = sum(get(a, str(k)) != get(b, str(k)) for k in range(1000)); assert 100 < moved < 450; print(moved)
