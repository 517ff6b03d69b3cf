a = list(range(10)); a[2:5] = [0]; a[::3] = [9] * len(a[::3]); del a[-2:]
assert a[::-1][0] == a[-1]; print(a, a[5:1:-2], "hello"[-3:], a[slice(1, None, 2)])
