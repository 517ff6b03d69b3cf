class Trie(dict):
    def __missing__(self, k): v = self[k] = Trie(); return v
    def add(self, w):
        for c in w: self = self[c]
        self["$"] = w
    def words(self):
        for k in sorted(self): yield from [self[k]] if k == "$" else self[k].words()
t = Trie(); [t.add(w) for w in "to tea ted ten inn i a".split()]; assert list(t["t"]["e"].words()) == ["tea", "ted", "ten"]; print(list(t.words()))
