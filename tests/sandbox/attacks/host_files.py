# Looks for files of the host beyond the runtime tree.
import os
from probe import Probe
p = Probe()
for path in ("/etc/shadow", "/etc/gshadow", "/etc/sudoers", "/etc/machine-id", "/etc/ssh/sshd_config", "/etc/ssh/ssh_host_rsa_key", "/root/.bashrc", "/root/.ssh/id_rsa", "/root/.profile", "/var/log/dpkg.log", "/var/lib/dpkg/status", "/var/run/docker.sock", "/run/systemd", "/run/dcodex", "/boot/vmlinuz", "/sys/kernel", "/sys/fs/cgroup", "/sys/class", "/lost+found", "/dev/mem", "/dev/kmsg", "/dev/port", "/dev/vda", "/dev/sda", "/dev/kvm", "/dev/fuse", "/dev/loop-control", "/dev/net/tun", "/dev/vsock", "/dev/vhost-vsock", "/dev/ptmx", "/dev/hpet", "/dev/nvram", "/dev/rtc", "/dev/input", "/dev/snd", "/dev/uinput", "/dev/mapper/control", "/dev/userfaultfd", "/dev/console", "/dev/tty0", "/dev/log", "/dev/mqueue/x", "/.dockerenv"):
    p.attempt(path, lambda: os.open(path, os.O_RDONLY | os.O_NONBLOCK))
for folder in ("/root", "/home", "/var/lib", "/var/log", "/var/tmp", "/run", "/mnt", "/media", "/srv", "/boot", "/sys", "/opt"):
    try:
        names = os.listdir(folder)
    except OSError:
        names = []
    p.holds(f"nothing in {folder}", not names, ",".join(names[:3]))
allowed = {"null", "zero", "full", "random", "urandom", "tty", "shm", "fd", "stdin", "stdout", "stderr", "pts", "ptmx", "mqueue"}
extra = set(os.listdir("/dev")) - allowed
p.holds("only known devices", not extra, ",".join(sorted(extra)))
p.finish()
