import socket
import ssl
import subprocess
import threading

made = subprocess.run(
    "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out certificate.pem -days 2"
    " -subj /CN=localhost -addext subjectAltName=DNS:localhost",
    shell=True,
    capture_output=True,
)
print(made.returncode)
server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
server.load_cert_chain("certificate.pem", "key.pem")
listener = socket.create_server(("localhost", 0))


def serve():
    connection, _ = listener.accept()
    with server.wrap_socket(connection, server_side=True) as secure:
        secure.sendall(secure.recv(16).upper())


thread = threading.Thread(target=serve)
thread.start()
client = ssl.create_default_context(cafile="certificate.pem")
with socket.create_connection(listener.getsockname()[:2]) as plain:
    with client.wrap_socket(plain, server_hostname="localhost") as secure:
        secure.sendall(b"hello")
        print(secure.recv(16), secure.version())
thread.join()
