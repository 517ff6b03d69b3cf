def two_sum(a, t):
    seen = {}
    for i, x in enumerate(a):
        if t - x in seen: return seen[t - x], i
        seen[x] = i
assert two_sum([2, 7, 11, 15], 9) == (0, 1); print(two_sum(list(range(1000)), 1997))
