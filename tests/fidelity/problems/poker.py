from collections import Counter
def rank(h):
    v = sorted(("23456789TJQKA".index(c[0]) for c in h), reverse=True); c = sorted(Counter(v).items(), key=lambda x: (-x[1], -x[0]))
    return (sorted((n for _, n in c), reverse=True), len({x[1] for x in h}) == 1, [x for x, _ in c])
assert rank("2H 2D 2C KS KD".split()) > rank("AH AD 3C 3S KD".split()); print(rank("TH JH QH KH AH".split()))
