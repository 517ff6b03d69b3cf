# Names that are no text: newlines, invalid UTF-8, 255 bytes, leading dashes, shell characters.
import os
for name in (b"a\nb", b"\xff\xfe", b"x" * 255, b"-rf", b"$(id)", b"`id`", b"%s%n", b"\x1b]0;x\x07", b" ", b"..."):
    for place in (b"/work/", b"/tmp/"):
        os.mkdir(place + name)
        open(place + name + b"/" + name, "w").close()
os.write(1, b"CONTAINED\n")
