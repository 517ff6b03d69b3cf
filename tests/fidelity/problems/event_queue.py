import heapq
q, t, log = [(0, 0, "start")], 0, []; n = 0
while q and t < 10:
    t, _, e = heapq.heappop(q); log.append((t, e))
    for dt, x in {"start": [(1, "a"), (2, "b")], "a": [(3, "a")], "b": [(5, "a")]}[e]: n += 1; heapq.heappush(q, (t + dt, n, x))
assert log[0] == (0, "start"); print(log)
