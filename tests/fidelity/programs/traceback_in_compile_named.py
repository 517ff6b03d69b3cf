exec(compile("x = 1\ny = x / 0\n", "named.txt", "exec"))
