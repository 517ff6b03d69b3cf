def run(p):
    s, pc, v, o = [], 0, {}, []
    while True:
        op, *a = p[pc]; pc += 1
        match op:
            case "push": s.append(a[0])
            case "add": s.append(s.pop() + s.pop())
            case "store": v[a[0]] = s.pop()
            case "load": s.append(v[a[0]])
            case "jlt":
                if s.pop() < a[0]: pc = a[1]
            case "out": o.append(s.pop())
            case "halt": return o
o = run([("push", 0), ("store", "i"), ("load", "i"), ("out",), ("load", "i"), ("push", 1), ("add",), ("store", "i"), ("load", "i"), ("jlt", 5, 2), ("halt",)])
assert o == [0, 1, 2, 3, 4]; print(o)
