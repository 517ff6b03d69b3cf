class A: pass
def f(): pass
print(A, type(A()), f.__qualname__, A.__module__, repr(A).count("__main__"))
