def rot(s, k): return "".join(chr((ord(c) - b + k) % 26 + b) if (b := 65 if c.isupper() else 97) and c.isalpha() and c.isascii() else c for c in s)
assert rot(rot("Hello, World!", 3), -3) == "Hello, World!"; print(rot("Hello, World!", 13))
