import itertools
def perms(a): return [[]] if not a else [[x] + p for i, x in enumerate(a) for p in perms(a[:i] + a[i + 1:])]
assert perms([1, 2, 3, 4]) == [list(p) for p in itertools.permutations([1, 2, 3, 4])]; print(len(perms(list(range(6)))))
