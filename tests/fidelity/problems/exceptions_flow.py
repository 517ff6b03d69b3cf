def f(x):
    try: r = 10 / x
    except ZeroDivisionError: return "zero"
    except TypeError as e: return type(e).__name__
    else: return r
    finally: log.append(x)
log = []; assert [f(2), f(0), f("a")] == [5.0, "zero", "TypeError"]
class E(Exception):
    def __init__(s, code): super().__init__(f"code {code}"); s.code = code
try:
    try: raise E(5)
    except E as e: raise KeyError("k") from e
except KeyError as e: print(repr(e), e.__cause__.code, log)
