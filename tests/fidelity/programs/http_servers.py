import http.server,threading,urllib.request,json,socketserver,urllib.error
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(s):
        b=json.dumps({"path":s.path}).encode(); s.send_response(200 if s.path!="/no" else 404); s.send_header("Content-Length",str(len(b))); s.end_headers(); s.wfile.write(b)
    def do_POST(s): d=s.rfile.read(int(s.headers["Content-Length"])); s.send_response(201); s.end_headers(); s.wfile.write(d[::-1])
    def log_message(s,*a): pass
srv=http.server.ThreadingHTTPServer(("127.0.0.1",0),H); threading.Thread(target=srv.serve_forever,daemon=True).start()
u=f"http://localhost:{srv.server_port}"
print(urllib.request.urlopen(u+"/a?b=c").read(), urllib.request.urlopen(u,data=b"abc").read())
try: urllib.request.urlopen(u+"/no")
except urllib.error.HTTPError as e: print(e.code,e.read())
srv.shutdown()
import xmlrpc.server,xmlrpc.client
x=xmlrpc.server.SimpleXMLRPCServer(("localhost",0),logRequests=False); x.register_function(pow); threading.Thread(target=x.serve_forever,daemon=True).start()
print(xmlrpc.client.ServerProxy("http://localhost:%d"%x.server_address[1]).pow(2,5)); x.shutdown()
