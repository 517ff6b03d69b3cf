from contextlib import contextmanager, ExitStack, suppress
log = []
@contextmanager
def cm(n):
    log.append(f"enter {n}")
    try: yield n
    except ValueError: log.append(f"caught {n}")
    finally: log.append(f"exit {n}")
with ExitStack() as s: [s.enter_context(cm(i)) for i in range(2)]; raise ValueError
with suppress(ZeroDivisionError): 1 / 0
assert log == ["enter 0", "enter 1", "caught 1", "exit 1", "exit 0"]; print(log)
