import timeit
def f(): pass
print(timeit.timeit("f()", "from __main__ import f", number=2) >= 0)
