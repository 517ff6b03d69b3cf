n = 10000; s = bytearray([1]) * (n + 1); s[0:2] = b"\0\0"
for i in range(2, 101):
    if s[i]: s[i * i::i] = bytes(len(s[i * i::i]))
assert sum(s) == 1229; print([i for i in range(100) if s[i]])
