import re
assert re.findall(r"(\d+)-(\w)", "1-a 22-b") == [("1", "a"), ("22", "b")]
print(re.sub(r"(?P<a>\w+) (?P<b>\w+)", r"\g<b> \g<a>", "hello world"), re.split(r"[,;]\s*", "a, b;c"), re.fullmatch(r"(?i)ABC+", "abccc").span(), re.search(r"(?<=\$)\d+", "cost $45").group(), [m.start() for m in re.finditer("a(?!b)", "abaca")])
