import sys
print([m for m in sys.modules if "dcodex" in m or "zmq" in m or "grpc" in m])
print(sorted(sys.modules))
print(len(sys.path_hooks), [path for path in sys.path_importer_cache if "dcodex" in path])
