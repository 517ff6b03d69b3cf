g = [n ^ n >> 1 for n in range(16)]
assert all((a ^ b).bit_count() == 1 for a, b in zip(g, g[1:])); print([f"{x:04b}" for x in g])
