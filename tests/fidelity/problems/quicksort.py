import random
random.seed(1); a = [random.randrange(1000) for _ in range(500)]
def qs(a): return a if len(a) < 2 else qs([x for x in a[1:] if x < a[0]]) + [a[0]] + qs([x for x in a[1:] if x >= a[0]])
assert qs(a) == sorted(a); print(qs(a)[:10])
