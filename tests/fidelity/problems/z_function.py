def z(s):
    z, l, r = [0] * len(s), 0, 0
    for i in range(1, len(s)):
        if i < r: z[i] = min(r - i, z[i - l])
        while i + z[i] < len(s) and s[z[i]] == s[i + z[i]]: z[i] += 1
        if i + z[i] > r: l, r = i, i + z[i]
    return z
assert z("aaabaab") == [0, 2, 1, 0, 2, 1, 0]; print(z("abacabadabacaba"))
