import subprocess, sys, warnings
warnings.simplefilter("always")
p = subprocess.Popen(["sleep", "9"])
p.pid = 1
