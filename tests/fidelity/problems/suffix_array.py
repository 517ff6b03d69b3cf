s = "banana"; sa = sorted(range(len(s)), key=lambda i: s[i:]); assert sa == [5, 3, 1, 0, 4, 2]; print(sa)
