print(hash(1), hash(1.5), hash((1, 2)), hash(None) is not None, hash(1 << 70))
