from collections import deque
g = ["S.#.", "..#.", "#...", "..#E"]
q, seen = deque([(0, 0, 0)]), {(0, 0)}
while q:
    r, c, n = q.popleft()
    if g[r][c] == "E": print(n); break
    for a, b in ((r + 1, c), (r - 1, c), (r, c + 1), (r, c - 1)):
        if 0 <= a < 4 and 0 <= b < 4 and g[a][b] != "#" and (a, b) not in seen: seen.add((a, b)); q.append((a, b, n + 1))
assert n == 6
