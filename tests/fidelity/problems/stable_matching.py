M = {"a": "xyz", "b": "yxz", "c": "xzy"}; W = {"x": "bac", "y": "acb", "z": "abc"}
free, eng, nxt = list(M), {}, dict.fromkeys(M, 0)
while free:
    m = free.pop(); w = M[m][nxt[m]]; nxt[m] += 1
    if w not in eng: eng[w] = m
    elif W[w].index(m) < W[w].index(eng[w]): free.append(eng[w]); eng[w] = m
    else: free.append(m)
assert len(set(eng.values())) == 3; print(sorted(eng.items()))
