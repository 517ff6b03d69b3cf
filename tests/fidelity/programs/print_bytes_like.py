print(b"\xff\x00", "\x00\x01", ascii("ü"), repr("\u200b"), "\r\n|", end="")
