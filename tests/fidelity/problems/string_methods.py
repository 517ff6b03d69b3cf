s = "Hello, Wörld"
assert s.casefold() == "hello, wörld" and s.partition(", ") == ("Hello", ", ", "Wörld")
print(s.center(20, "*"), s.encode(), s.translate(str.maketrans("lo", "01")), "a-b".rsplit("-"), "%05.1f|%-5s|%x" % (3.14159, "ab", 255), "{:,} {:>8} {:+.2e}".format(1234567, "r", 12345.678), f"{s!r:.5}", "abc".isidentifier(), "ß".upper(), "١".isdigit(), s.zfill(15))
