import sys
print(sys.executable, sys.prefix, sys.base_prefix, sys.exec_prefix, sys.version, sys.platlibdir, sys.implementation.name)
