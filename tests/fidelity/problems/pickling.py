import pickle, copy
class N:
    def __init__(s, v): s.v, s.me = v, s
n = copy.deepcopy(N([1, {2}])); assert n.me is n; m = pickle.loads(pickle.dumps(n)); assert m.me is m and m.v == [1, {2}]; print(m.v)
