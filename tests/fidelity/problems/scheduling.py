import heapq
j = sorted([(0, 3), (1, 9), (2, 6)]); h, t, w, i = [], 0, 0, 0
while i < len(j) or h:
    while i < len(j) and j[i][0] <= t: heapq.heappush(h, j[i][::-1]); i += 1
    if h: d, s = heapq.heappop(h); t += d; w += t - s
    else: t = j[i][0]
assert w // 3 == 9; print(w)
