class Node:
    def __init__(self, v, n=None): self.v, self.n = v, n
    def __iter__(self):
        while self: yield self.v; self = self.n
def rev(h, p=None):
    while h: h.n, p, h = p, h, h.n
    return p
h = None
for x in range(5): h = Node(x, h)
assert list(rev(h)) == [0, 1, 2, 3, 4]; print("ok")
