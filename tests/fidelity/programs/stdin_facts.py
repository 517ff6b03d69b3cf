import sys
for f in (sys.stdin, sys.stdout, sys.stderr):
    print(f.name, f.mode, f.encoding, f.errors, f.line_buffering, f.write_through, f.isatty(), f.fileno(), f.newlines, type(f.buffer).__name__)
print(sys.stdin is sys.__stdin__, sys.stdout is sys.__stdout__, sys.stdout.buffer.raw.name if hasattr(sys.stdout.buffer, "raw") else sys.stdout.buffer.name)
