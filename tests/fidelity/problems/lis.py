from bisect import bisect_left
def lis(a):
    t = []
    for x in a:
        i = bisect_left(t, x); t[i:i + 1] = [x]
    return len(t)
assert lis([10, 9, 2, 5, 3, 7, 101, 18]) == 4; print(lis([i * 7 % 31 for i in range(100)]))
