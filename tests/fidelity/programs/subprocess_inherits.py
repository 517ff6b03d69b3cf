import subprocess, sys
print("one", flush=True)
subprocess.run([sys.executable, "-c", "print('two')"])
print("three")
