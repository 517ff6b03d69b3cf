import textwrap
t = "The quick brown fox jumps over the lazy dog. " * 5; assert max(map(len, textwrap.wrap(t, 30))) <= 30
print(textwrap.fill(t, 40), textwrap.dedent("  a\n    b\n"), textwrap.shorten(t, 30), sep="\n")
