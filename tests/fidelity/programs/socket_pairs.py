import socket
for family in ("AF_UNIX","AF_INET","AF_INET6"):
    for kind in (socket.SOCK_STREAM,socket.SOCK_DGRAM):
        try:
            with socket.socketpair(getattr(socket,family),kind)[0] as a: print(family,a.family.name,a.type.name)
        except OSError as e: print(family,type(e).__name__,e)
