def m(c, z=0, n=0):
    while abs(z) <= 2 and n < 30: z, n = z * z + c, n + 1
    return n
rows = ["".join("#" if m(complex(x / 20, y / 10)) == 30 else "." for x in range(-40, 20)) for y in range(-10, 11)]
assert rows[0][30] == "." and rows[10][40] == "#"; print("\n".join(rows))
