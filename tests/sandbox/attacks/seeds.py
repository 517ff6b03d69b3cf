# What a fork must refresh: two runs must print different lines.
import os, random, secrets, tempfile, uuid
print(random.random(), random.getrandbits(64), secrets.token_hex(8), uuid.uuid4(), next(tempfile._get_candidate_names()))
