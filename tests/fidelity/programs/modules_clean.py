import sys
print([m for m in sys.modules if "dcodex" in m or "zmq" in m or "grpc" in m])
