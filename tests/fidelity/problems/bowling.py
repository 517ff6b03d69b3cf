def score(r):
    s = i = 0
    for _ in range(10):
        if r[i] == 10: s += sum(r[i:i + 3]); i += 1
        else: s += sum(r[i:i + 3]) if r[i] + r[i + 1] == 10 else r[i] + r[i + 1]; i += 2
    return s
assert score([10] * 12) == 300 and score([5] * 21) == 150; print(score([9, 0] * 10))
