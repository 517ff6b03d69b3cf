def f(x):
    match x:
        case 0 | 1: return "small"
        case int(n) if n < 0: return "negative"
        case [a, b, *r]: return f"list {a} {b} {r}"
        case {"k": v, **r}: return f"map {v} {r}"
        case str() as s: return s.upper()
        case _: return "other"
assert f(-5) == "negative"; print([f(x) for x in (1, [1, 2, 3], {"k": 1, "z": 2}, "abc", 3.5)])
