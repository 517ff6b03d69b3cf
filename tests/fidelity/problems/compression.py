import zlib, bz2, lzma, gzip
d = b"hello world " * 1000
for m in (zlib, bz2, lzma): assert m.decompress(m.compress(d)) == d
print(len(zlib.compress(d)), gzip.decompress(gzip.compress(d)) == d)
