import re, collections
words = collections.Counter(re.findall("[a-z]+", "the quick brown fox jumps over the lazy dog the end of the story"))
def edits(w): s = [(w[:i], w[i:]) for i in range(len(w) + 1)]; return {a + b[1:] for a, b in s if b} | {a + c + b[1:] for a, b in s if b for c in "abcdefghijklmnopqrstuvwxyz"} | {a + c + b for a, b in s for c in "abcdefghijklmnopqrstuvwxyz"} | {a + b[1] + b[0] + b[2:] for a, b in s if len(b) > 1}
fix = lambda w: max((x for x in edits(w) if x in words), key=words.get, default=w)
assert fix("teh") == "the"; print(fix("quik"), fix("brwn"))
