import itertools
def f():
    try:
        yield from range(3)
    finally:
        print("finally")
pairs = zip(itertools.chain(f()), "abc")
next(pairs)
