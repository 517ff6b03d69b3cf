m = [[i * j for j in range(1, 10)] for i in range(1, 10)]
assert m[8][8] == 81; print("\n".join(" ".join(f"{x:2}" for x in r) for r in m), {k: [x for x in range(1, 20) if x % k == 0] for k in (2, 3, 5)})
