# Who it is: not root outside, without capabilities, unable to become anybody else.
import ctypes, os
from probe import Probe, in_child, syscall
p = Probe()
status = dict(line.split(":\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\t" in line)
for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
    p.holds(f"{name} empty", int(status[name], 16) == 0, status[name].strip())
p.outcomes.append(f"CapBnd={status['CapBnd'].strip()}")
p.holds("seccomp filters", status["Seccomp"].strip() == "2", status["Seccomp"].strip())
p.holds("no_new_privs", status["NoNewPrivs"].strip() == "1")
for kind in ("uid", "gid"):
    rows = [list(map(int, line.split())) for line in open(f"/proc/self/{kind}_map")]
    p.holds(f"own user namespace ({kind})", rows != [[0, 0, 4294967295]], str(rows))
    p.holds(f"outer {kind} is not 0", all(row[1] != 0 for row in rows), str(rows))
    p.holds(f"one {kind} mapped", sum(row[2] for row in rows) <= 1, str(rows))
p.holds("groups", all(g in (os.getgid(), 65534) for g in os.getgroups()), str(os.getgroups()))
me = os.getuid()
for uid in (0, 1, 1000, 65534):
    if uid == me:
        continue
    for name, action in (("setuid", lambda: os.setuid(uid)), ("setresuid", lambda: os.setresuid(uid, uid, uid)), ("setgid", lambda: os.setgid(uid)), ("setreuid", lambda: os.setreuid(uid, uid))):
        if name == "setgid" and uid == os.getgid():
            continue
        p.attempt(f"{name} {uid}", action, also=(22,))
p.attempt("setgroups", lambda: os.setgroups([0]))
for name, text in (("uid_map", f"0 {me} 1"), ("gid_map", "0 0 1"), ("setgroups", "allow"), ("loginuid", "0"), ("attr/current", "unconfined"), ("attr/exec", "unconfined")):
    def write():
        fd = os.open(f"/proc/self/{name}", os.O_WRONLY)
        try:
            os.write(fd, text.encode())
        finally:
            os.close(fd)
    p.attempt(f"write {name}", write, also=(22,))
p.finish()
