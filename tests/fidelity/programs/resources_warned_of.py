import os, _socket, warnings
warnings.simplefilter("always")
s = _socket.socket()
entries = os.scandir("/")
