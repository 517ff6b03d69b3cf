import inspect
def f(a, *, b=3) -> int:
    """Doc."""
    return a + b
class C:
    def m(self):  # a comment
        return 1
print(inspect.getsource(f), inspect.getsource(C), inspect.getsource(C.m), inspect.signature(f), inspect.getsourcefile(f), inspect.getmodule(f), inspect.getcomments(C), sep="\n")
print(inspect.getsourcelines(f)[1], inspect.getfile(C), inspect.currentframe().f_lineno)
