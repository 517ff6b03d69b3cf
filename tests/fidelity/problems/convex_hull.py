def hull(p):
    p = sorted(set(p))
    def half(p):
        h = []
        for q in p:
            while len(h) > 1 and (h[-1][0] - h[-2][0]) * (q[1] - h[-2][1]) <= (h[-1][1] - h[-2][1]) * (q[0] - h[-2][0]): h.pop()
            h.append(q)
        return h[:-1]
    return half(p) + half(p[::-1])
assert hull([(x, y) for x in range(5) for y in range(5)]) == [(0, 0), (4, 0), (4, 4), (0, 4)]; print(hull([(i * i % 17, i * 7 % 13) for i in range(20)]))
