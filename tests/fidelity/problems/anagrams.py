from collections import defaultdict
d = defaultdict(list)
for w in "eat tea tan ate nat bat".split(): d["".join(sorted(w))].append(w)
assert d["aet"] == ["eat", "tea", "ate"]; print(sorted(d.items()))
