try:
    x = bytearray(1 << 62)
except MemoryError as e:
    print("caught", e)
y = "x" * (1 << 62)
