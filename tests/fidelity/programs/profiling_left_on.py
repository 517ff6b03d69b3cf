import sys
def profiler(frame, event, arg):
    print(event, frame.f_code.co_name)
def f():
    return len("x")
sys.setprofile(profiler)
f()
