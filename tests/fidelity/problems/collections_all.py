from collections import *
P = namedtuple("P", "x y", defaults=[0]); d = deque([1, 2, 3], maxlen=3); d.append(4); d.rotate(1)
c = ChainMap({"a": 1}, {"a": 2, "b": 3}); assert P(1).y == 0 and list(d) == [4, 2, 3] and c["b"] == 3
print(P(1, 2)._replace(x=5), Counter("hello") - Counter("l"), OrderedDict(a=1), dict(c))
