def happy(n, s=frozenset()): return n == 1 or n not in s and happy(sum(int(d) ** 2 for d in str(n)), s | {n})
h = [n for n in range(1, 50) if happy(n)]; assert h[:5] == [1, 7, 10, 13, 19]; print(h)
