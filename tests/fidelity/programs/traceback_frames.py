import sys, inspect
frame, depth = sys._getframe(), 0
while frame:
    print(frame.f_code.co_filename, frame.f_code.co_name, frame.f_lineno, sorted(k for k in frame.f_globals if not k.startswith("_")))
    frame = frame.f_back
    depth += 1
print(depth, len(inspect.stack()), inspect.stack()[0].code_context)
