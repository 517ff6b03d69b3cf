def ok(s):
    st = []
    for c in s:
        if c in "([{": st.append(c)
        elif not st or "([{".index(st.pop()) != ")]}".index(c): return False
    return not st
assert ok("([]{})") and not ok("([)]"); print([ok(x) for x in ("", "(", "()[]", "]")])
