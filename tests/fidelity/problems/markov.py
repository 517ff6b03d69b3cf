import random, collections
random.seed(3); t = "the cat sat on the mat the cat ran on the road".split(); m = collections.defaultdict(list)
for a, b in zip(t, t[1:]): m[a].append(b)
w = ["the"]
while len(w) < 12 and m[w[-1]]: w.append(random.choice(m[w[-1]]))
assert all(b in m[a] for a, b in zip(w, w[1:])); print(" ".join(w))
