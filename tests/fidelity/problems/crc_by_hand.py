import zlib
def crc(b):
    c = 0xffffffff
    for x in b:
        c ^= x
        for _ in range(8): c = c >> 1 ^ 0xedb88320 * (c & 1)
    return c ^ 0xffffffff
assert crc(b"123456789") == zlib.crc32(b"123456789") == 0xcbf43926; print(hex(crc(b"dcodex")))
