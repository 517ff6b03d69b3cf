if (n := 10) > 5: print(f"{n=} {n:>5} {n!r:^7} {'nested'}")
