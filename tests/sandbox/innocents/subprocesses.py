import subprocess, sys, os, shlex
assert subprocess.run([sys.executable, "-c", "print(6*7)"], capture_output=True, text=True).stdout == "42\n"
assert subprocess.check_output("echo $((6*7)) | tr 4 5", shell=True) == b"52\n"
assert subprocess.run(["sh", "-c", "exit 3"]).returncode == 3
p = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE); assert p.communicate(b"x" * 100000)[0] == b"x" * 100000
assert os.system("true") == 0 and os.popen("uname -s").read() == "Linux\n"
assert subprocess.run(["ls", "/"], capture_output=True).returncode == 0
try: subprocess.run(["sleep", "5"], timeout=0.1)
except subprocess.TimeoutExpired: pass
else: raise SystemExit("no timeout")
import asyncio
async def main():
    p = await asyncio.create_subprocess_exec("sort", stdin=-1, stdout=-1)
    out, _ = await p.communicate(b"b\na\n"); assert out == b"a\nb\n"
asyncio.run(main()); print("fine")
