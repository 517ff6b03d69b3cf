"""Takes memory until the memory limit ends it."""

blocks = []
while True:
    blocks.append(bytearray(b"x" * (16 << 20)))
    print(f"holding {len(blocks) * 16} MiB")
