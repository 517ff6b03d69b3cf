from itertools import *
assert list(accumulate([1, 2, 3], lambda a, b: a * b)) == [1, 2, 6]
print(list(combinations("abc", 2)), list(product([0, 1], repeat=2)), list(chain([1], [2])), list(islice(count(5, 5), 3)), list(takewhile(lambda x: x < 3, range(9))), list(pairwise("abcd")), list(zip_longest([1], [2, 3])), [list(t) for t in tee([1, 2])])
