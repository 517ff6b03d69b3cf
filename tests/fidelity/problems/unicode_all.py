import unicodedata as u
assert u.normalize("NFD", "é") == "e\u0301" and len("👨‍👩‍👧") == 5; print(u.name("ü"), [u.category(c) for c in "aA1 €"], "".join(c for c in u.normalize("NFKD", "Crème Brûlée") if not u.combining(c)), "\N{SNOWMAN}")
