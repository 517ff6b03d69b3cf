import traceback, sys
def f():
    traceback.print_stack()
    try:
        1 / 0
    except ZeroDivisionError:
        traceback.print_exc()
        print(traceback.format_exc())
    for frame in traceback.extract_stack():
        print(frame.filename, frame.lineno, frame.name, frame.line)
f()
