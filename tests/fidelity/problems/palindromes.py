def longest(s):
    best = ""
    for c in range(2 * len(s) - 1):
        l, r = c // 2, (c + 1) // 2
        while l >= 0 and r < len(s) and s[l] == s[r]: l, r = l - 1, r + 1
        best = max(best, s[l + 1:r], key=len)
    return best
assert longest("babad") == "bab"; print(longest("forgeeksskeegfor"))
