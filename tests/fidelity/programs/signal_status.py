lines = dict(l.split(":\t", 1) for l in open("/proc/self/status").read().splitlines() if ":\t" in l)
print(lines["SigIgn"], lines["SigCgt"], lines["SigBlk"], lines["Threads"])
