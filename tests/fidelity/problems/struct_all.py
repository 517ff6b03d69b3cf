import struct
b = struct.pack("<IhB3sd", 1, -2, 255, b"abc", 1.5); assert struct.unpack("<IhB3sd", b) == (1, -2, 255, b"abc", 1.5); print(b.hex(), struct.calcsize("@ici"))
