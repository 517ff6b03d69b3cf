import hashlib
bits = 0
def idx(s): return [int.from_bytes(hashlib.sha256(f"{i}{s}".encode()).digest()[:4], "big") % 2048 for i in range(4)]
for w in range(100):
    for i in idx(w): bits |= 1 << i
assert all(bits >> i & 1 for w in range(100) for i in idx(w)); print(sum(all(bits >> i & 1 for i in idx(w)) for w in range(1000, 2000)) < 50, bits.bit_count())
