import pickle, subprocess, sys
from collections import namedtuple
P = namedtuple("P", "a b")
print(pickle.dumps(P(1, 2), 0))
