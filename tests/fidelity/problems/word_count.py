from collections import Counter
t = "It was the best of times it was the worst of times"; c = Counter(t.lower().split())
assert c["times"] == 2; print(c.most_common(4))
