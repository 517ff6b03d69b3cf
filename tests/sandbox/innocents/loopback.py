import socket, threading, http.server, urllib.request, socketserver, ssl
for host in ("127.0.0.1", "localhost"):
    srv = socket.create_server((host, 0)); port = srv.getsockname()[1]
    def serve():
        c, _ = srv.accept(); c.sendall(c.recv(100).upper()); c.close()
    t = threading.Thread(target=serve); t.start()
    c = socket.create_connection((host, port)); c.sendall(b"hello"); assert c.recv(100) == b"HELLO"; t.join(); srv.close()
assert "127.0.0.1" in {i[4][0] for i in socket.getaddrinfo("localhost", 80, socket.AF_INET)}
assert socket.gethostbyname("localhost") == "127.0.0.1"
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self): self.send_response(200); self.end_headers(); self.wfile.write(b"page")
    def log_message(self, *a): pass
s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H); threading.Thread(target=s.serve_forever, daemon=True).start()
assert urllib.request.urlopen(f"http://localhost:{s.server_port}/").read() == b"page"; s.shutdown()
a, b = socket.socketpair(); a.send(b"x"); assert b.recv(1) == b"x"
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(("127.0.0.1", 0)); u.sendto(b"u", u.getsockname()); assert u.recv(9) == b"u"
x = socket.socket(socket.AF_UNIX); x.bind("/tmp/s"); x.listen(); y = socket.socket(socket.AF_UNIX); y.connect("/tmp/s")
v = socket.socket(socket.AF_INET6); v.bind(("::1", 0)); v.listen()
assert socket.gethostname() and socket.gethostbyname(socket.gethostname())
print("fine")
