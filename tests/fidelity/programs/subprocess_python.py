import subprocess, sys
print(sys.executable)
r = subprocess.run([sys.executable, "-c", "import sys; print(sys.argv, sys.version_info[:2], sys.prefix); sys.exit(3)", "a"], capture_output=True, text=True)
print(r)
