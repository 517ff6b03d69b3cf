import sys
def tracer(frame, event, arg):
    print(event, frame.f_code.co_name)
    return tracer
def f():
    return 1
class A:
    def __del__(self):
        print("del")
a = A()
sys.settrace(tracer)
f()
