import base64
A = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
def enc(b):
    s = "".join(f"{x:08b}" for x in b); s += "0" * (-len(s) % 6); r = "".join(A[int(s[i:i + 6], 2)] for i in range(0, len(s), 6)); return r + "=" * (-len(r) % 4)
assert all(enc(x) == base64.b64encode(x).decode() for x in (b"", b"a", b"ab", b"abc", bytes(range(256)))); print(enc(b"hello"))
