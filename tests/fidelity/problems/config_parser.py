import configparser, io
c = configparser.ConfigParser(); c.read_string("[a]\nx = 1\ny = %(x)s2\n[b]\nz: yes\n"); assert c["a"]["y"] == "12" and c.getboolean("b", "z")
c.write(f := io.StringIO()); print(f.getvalue())
