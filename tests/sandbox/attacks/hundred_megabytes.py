# Takes a hundred megabytes, then a hundred in files, and says so.
import sys
if "files" in sys.argv:
    with open("/tmp/much", "wb", buffering=0) as file:
        try:
            for _ in range(100):
                file.write(b"x" * (1 << 20))
        except OSError as error:
            print("CONTAINED", error.errno)
            sys.exit()
else:
    data = b"x" * (100 << 20)
print("LEAK:had a hundred megabytes")
