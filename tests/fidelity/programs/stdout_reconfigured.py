import sys
sys.stdout.reconfigure(encoding="latin-1", errors="replace", newline="\r\n", line_buffering=True)
print("ü 😀")
