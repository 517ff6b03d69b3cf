import socket
for n in ("localhost","127.0.0.1","::1","ip6-localhost"):
    try: print(n,sorted({a[4][0] for a in socket.getaddrinfo(n,80)}))
    except OSError as e: print(n,type(e).__name__)
print(socket.getservbyname("http"),socket.getprotobyname("tcp"),socket.getservbyport(443))
print(socket.inet_aton("1.2.3.4"), socket.gethostbyname("localhost"))
try: socket.create_connection(("127.0.0.1",9),1)
except OSError as e: print(e)
