/* The mount family, chroot and pivot_root, old and new system calls. */
#include "probe.h"
#include <sys/mount.h>
int main(void) {
    long z = 0;
    attempt_syscall("mount", SYS_mount, (long)"none", (long)"/tmp", (long)"tmpfs", 0, 0, 0);
    attempt_syscall("remount rw", SYS_mount, 0, (long)"/", 0, MS_REMOUNT | MS_BIND, 0, 0);
    attempt_syscall("bind", SYS_mount, (long)"/usr", (long)"/tmp", 0, MS_BIND, 0, 0);
    attempt_syscall("move", SYS_mount, (long)"/proc", (long)"/tmp", 0, MS_MOVE, 0, 0);
    attempt_syscall("shared", SYS_mount, 0, (long)"/", 0, MS_SHARED | MS_REC, 0, 0);
    attempt_syscall("umount", SYS_umount2, (long)"/proc", MNT_DETACH, z, z, z, z);
    attempt_syscall("umount tmp", SYS_umount2, (long)"/tmp", MNT_DETACH, z, z, z, z);
    attempt_syscall("pivot_root", SYS_pivot_root, (long)"/work", (long)"/work", z, z, z, z);
    attempt_syscall("chroot", SYS_chroot, (long)"/work", z, z, z, z, z);
    attempt_syscall("fsopen", 430, (long)"tmpfs", z, z, z, z, z);
    attempt_syscall("fsconfig", 431, -1, z, z, z, z, z);
    attempt_syscall("fsmount", 432, -1, z, z, z, z, z);
    attempt_syscall("fspick", 433, AT_FDCWD, (long)"/", z, z, z, z);
    attempt_syscall("open_tree", 428, AT_FDCWD, (long)"/", 1, z, z, z);
    attempt_syscall("move_mount", 429, AT_FDCWD, (long)"/usr", AT_FDCWD, (long)"/tmp", z, z);
    attempt_syscall("mount_setattr", 442, AT_FDCWD, (long)"/", z, z, z, z);
    attempt_syscall("open_tree_attr", 467, AT_FDCWD, (long)"/", 1, z, z, z);
    attempt_syscall("listmount", 458, z, z, z, z, z, z);
    attempt_syscall("statmount", 457, z, z, z, z, z, z);
    attempt_syscall("swapon", SYS_swapon, (long)"/work/x", z, z, z, z, z);
    attempt_syscall("swapoff", SYS_swapoff, (long)"/work/x", z, z, z, z, z);
    attempt_syscall("acct", SYS_acct, (long)"/work/x", z, z, z, z, z);
    attempt_syscall("quotactl", SYS_quotactl, z, z, z, z, z, z);
    return finish();
}
