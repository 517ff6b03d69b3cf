print("crlf")
raise ValueError("crlf")
