def pig(w): i = next((i for i, c in enumerate(w) if c in "aeiou"), 0); return w + "way" if i == 0 else w[i:] + w[:i] + "ay"
assert pig("string") == "ingstray"; print(" ".join(map(pig, "the apple fell down".split())))
