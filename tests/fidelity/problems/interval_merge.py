def merge(a):
    o = []
    for s, e in sorted(a):
        if o and s <= o[-1][1]: o[-1][1] = max(o[-1][1], e)
        else: o.append([s, e])
    return o
assert merge([(1, 3), (2, 6), (8, 10), (15, 18)]) == [[1, 6], [8, 10], [15, 18]]; print(merge([(1, 4), (4, 5)]))
