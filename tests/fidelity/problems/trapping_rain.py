def trap(h):
    l, r, a, b, t = 0, len(h) - 1, 0, 0, 0
    while l < r:
        if h[l] < h[r]: a = max(a, h[l]); t += a - h[l]; l += 1
        else: b = max(b, h[r]); t += b - h[r]; r -= 1
    return t
assert trap([0, 1, 0, 2, 1, 0, 1, 3, 2, 1, 2, 1]) == 6; print(trap([4, 2, 0, 3, 2, 5]))
