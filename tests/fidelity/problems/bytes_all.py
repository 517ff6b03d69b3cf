b = bytearray(b"hello"); b[0:1] = b"J"; m = memoryview(b)[1:3]; m[0] = 69; assert b == b"JEllo"
del m; print(b.hex(" "), bytes.fromhex("ff00"), int.from_bytes(b"\x01\x00", "big"), (1000).to_bytes(2, "little"), b.find(b"l"), b"a,b".split(b","))
