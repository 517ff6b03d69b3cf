import hashlib, hmac, zlib, base64
assert hashlib.sha256(b"abc").hexdigest().startswith("ba7816bf"); print(hashlib.md5(b"").hexdigest(), hmac.new(b"k", b"m", "sha1").hexdigest(), zlib.crc32(b"hello"), base64.b85encode(b"hello world"), hashlib.blake2b(b"x", digest_size=8).hexdigest())
