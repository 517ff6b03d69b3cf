import sys, __main__
print(__main__.__file__, __main__ is sys.modules["__main__"], __main__.__loader__.path, __main__.__loader__.name, repr(__main__).replace(__file__, "FILE"))
print(__loader__.get_source("__main__").splitlines()[0], __loader__.is_package("__main__"))
