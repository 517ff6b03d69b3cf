import socket,struct
r=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); r.bind(("",0))
try:
    r.setsockopt(socket.IPPROTO_IP,socket.IP_ADD_MEMBERSHIP,socket.inet_aton("224.1.1.1")+socket.inet_aton("127.0.0.1")); s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.setsockopt(socket.IPPROTO_IP,socket.IP_MULTICAST_IF,socket.inet_aton("127.0.0.1")); s.sendto(b"m",("224.1.1.1",r.getsockname()[1])); r.settimeout(1); print(r.recv(10))
except OSError as e: print(type(e).__name__,e)
