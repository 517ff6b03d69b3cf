def subsets(a): return [[a[i] for i in range(len(a)) if m >> i & 1] for m in range(1 << len(a))]
assert len(subsets("abcd")) == 16; print(sorted(map("".join, subsets("abc"))))
