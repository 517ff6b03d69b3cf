# Every byte value, NULs, lone surrogates and cut characters: just bytes.
import os
os.write(1, bytes(range(256)) + b"\0\0" + "\ud800\udfff".encode("utf-8", "surrogatepass") + b"\xf0\x9f\x98")
os.write(2, b"\xff\xfe\0" + b"\xc3")
