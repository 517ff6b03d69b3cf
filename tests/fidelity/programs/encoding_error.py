"ü".encode("ascii")
