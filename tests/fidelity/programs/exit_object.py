class X:
    def __str__(self):
        return "an object"
raise SystemExit(X())
