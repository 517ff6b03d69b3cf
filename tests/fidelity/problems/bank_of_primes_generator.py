from itertools import islice, count
def primes():
    comp = {}
    for n in count(2):
        p = comp.pop(n, None)
        if p is None: yield n; comp[n * n] = n
        else:
            x = n + p
            while x in comp: x += p
            comp[x] = p
assert list(islice(primes(), 10)) == [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]; print(next(islice(primes(), 999, None)))
