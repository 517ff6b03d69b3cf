class X:
    def __str__(self):
        raise ValueError("no")
raise SystemExit(X())
