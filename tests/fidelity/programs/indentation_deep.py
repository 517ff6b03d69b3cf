exec("\n".join(" " * n + "if True:" for n in range(120)) + "\n" + " " * 120 + "pass")
