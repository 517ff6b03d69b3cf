def run(c):
    st, j = [], {}
    for i, x in enumerate(c):
        if x == "[": st.append(i)
        elif x == "]": k = st.pop(); j[i], j[k] = k, i
    t, p, i, o = [0] * 100, 0, 0, ""
    while i < len(c):
        x = c[i]
        if x == ">": p += 1
        elif x == "<": p -= 1
        elif x == "+": t[p] = (t[p] + 1) % 256
        elif x == "-": t[p] = (t[p] - 1) % 256
        elif x == ".": o += chr(t[p])
        elif x == "[" and not t[p] or x == "]" and t[p]: i = j[i]
        i += 1
    return o
o = run("++++++++[>++++[>++>+++>+++>+<<<<-]>+>+>->>+[<]<-]>>.>---.+++++++..+++.>>.<-.<.+++.------.--------.>>+."); assert o == "Hello World!"; print(o)
