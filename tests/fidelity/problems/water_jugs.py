from collections import deque
q, seen = deque([((0, 0), 0)]), {(0, 0)}
while q:
    (a, b), n = q.popleft()
    if a == 2 or b == 2: break
    for s in ((3, b), (a, 5), (0, b), (a, 0), (max(0, a + b - 5), min(5, a + b)), (min(3, a + b), max(0, a + b - 3))):
        if s not in seen: seen.add(s); q.append((s, n + 1))
print(n); assert n == 2
