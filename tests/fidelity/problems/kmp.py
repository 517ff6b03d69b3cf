def find(t, p):
    f, k = [0], 0
    for c in p[1:]:
        while k and p[k] != c: k = f[k - 1]
        k += p[k] == c; f.append(k)
    out, k = [], 0
    for i, c in enumerate(t):
        while k and p[k] != c: k = f[k - 1]
        k += p[k] == c
        if k == len(p): out.append(i - k + 1); k = f[k - 1]
    return out
assert find("abababcabab", "abab") == [0, 2, 7]; print(find("aaaa", "aa"))
