# Makes files without content.
import os
try:
    for n in range(5000):
        os.close(os.open(f"/tmp/{n}", os.O_CREAT | os.O_WRONLY))
except OSError as error:
    print("CONTAINED", error.errno)
else:
    print("LEAK:five thousand names")
