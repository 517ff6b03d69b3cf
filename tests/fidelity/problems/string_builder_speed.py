import io
f = io.StringIO(); [f.write(str(i)) for i in range(20000)]; s = f.getvalue()
assert s == "".join(map(str, range(20000))); print(len(s), s[-10:])
