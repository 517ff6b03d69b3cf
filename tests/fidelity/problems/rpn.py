import operator
def rpn(s):
    st = []
    for t in s.split():
        if t in "+-*/": b, a = st.pop(), st.pop(); st.append({"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.floordiv}[t](a, b))
        else: st.append(int(t))
    return st[0]
assert rpn("2 1 + 3 *") == 9; print(rpn("5 1 2 + 4 * + 3 -"))
