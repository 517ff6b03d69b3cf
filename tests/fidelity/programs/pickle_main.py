import pickle
class Point:
    def __init__(self, x):
        self.x = x
def f():
    return 7
p = pickle.loads(pickle.dumps(Point(3)))
print(p.x, type(p) is Point, pickle.loads(pickle.dumps(f))(), Point.__module__, Point, f.__module__)
