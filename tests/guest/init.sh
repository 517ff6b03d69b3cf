#!/.guest/busybox sh
# The guest's first process. The kernel's messages and what goes wrong here reach the first
# serial line, the checks' results the second.
export PATH=/.guest/bin
say() { echo "guest: $*" >/dev/ttyS0; }

if [ ! -e /.guest/moved ]; then
    /.guest/busybox mkdir -p /.guest/bin /dev /new
    /.guest/busybox --install -s /.guest/bin
    mount -t devtmpfs dev /dev
    while read -r module; do
        insmod "/modules/$module.ko" || say "cannot load $module"
    done </modules/order

    # pivot_root, which every sandbox needs, refuses to leave the kernel's first root.
    mount -t tmpfs -o mode=755 root /new
    cp -a /etc /.guest /guest /init /new/
    while read -r name target; do ln -s "$target" "/new/$name"; done </guest/links
    while read -r tag path; do
        mkdir -p "/new$path"
        mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=512000,cache=loose \
            "$tag" "/new$path" || say "cannot mount $path"
    done </guest/shares
    mkdir -p /new/dev /new/proc /new/sys /new/tmp /new/run /new/var/tmp /new/var/cache
    chmod 1777 /new/tmp /new/var/tmp
    touch /new/.guest/moved
    umount /dev
    exec switch_root /new /init
fi

mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/shm /dev/pts
mount -t tmpfs shm /dev/shm
# As systemd mounts it.
mount -t cgroup2 -o nsdelegate,memory_recursiveprot cgroup2 /sys/fs/cgroup || say "no cgroup2"
ip link set lo up
hostname guest
stty -F /dev/ttyS1 raw -echo

. /guest/settings
export PATH=/usr/bin:/usr/sbin HOME=/run PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$REPOSITORY"
# This repository's packages, whatever the interpreter has installed.
for folder in proto shared gateway coordinator worker client; do
    PYTHONPATH="$PYTHONPATH:$REPOSITORY/$folder"
done
cd "$REPOSITORY" || say "no repository"
"$PYTHON" -P -m tests.guest.inside $ARGUMENTS </dev/null >/dev/ttyS1 2>/dev/ttyS0
echo "exit $?" >/dev/ttyS1
/.guest/bin/poweroff -f
