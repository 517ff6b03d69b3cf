from collections import deque
out = []
def task(n, k):
    for i in range(k): out.append(f"{n}{i}"); yield
q = deque([task("a", 3), task("b", 2), task("c", 1)])
while q:
    t = q.popleft()
    try: next(t); q.append(t)
    except StopIteration: pass
assert out == ["a0", "b0", "c0", "a1", "b1", "a2"]; print(out)
