def rs(a):
    for s in range(0, 32, 8):
        b = [[] for _ in range(256)]
        for x in a: b[x >> s & 255].append(x)
        a = [x for y in b for x in y]
    return a
v = [i * 2654435761 % 2 ** 32 for i in range(200)]; assert rs(v) == sorted(v); print(rs(v)[:3])
