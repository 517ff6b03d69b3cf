def spiral(m): return list(m[0]) + spiral(list(zip(*m[1:]))[::-1]) if m and m[0] else []
assert spiral([[1, 2, 3], [4, 5, 6], [7, 8, 9]]) == [1, 2, 3, 6, 9, 8, 7, 4, 5]; print(spiral([list(range(i, i + 5)) for i in range(0, 20, 5)]))
