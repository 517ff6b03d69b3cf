/* Its own filter on top: refused, and whatever came of it, nothing is wider afterwards. */
#include "probe.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
int main(void) {
    struct sock_filter allow[] = {{0x06, 0, 0, 0x7fff0000}};
    struct sock_fprog program = {1, allow};
    long result = syscall(SYS_seccomp, 1, 0, &program);
    holds("own filter", result == -1 && errno == EINVAL);
    attempt_syscall("mount after it", SYS_mount, 0, (long)"/tmp", 0, 0, 0, 0);
    attempt_syscall("unshare after it", SYS_unshare, 0x10000000, 0, 0, 0, 0, 0);
    attempt_syscall("bpf after it", 321, -1, 0, 0, 0, 0, 0);
    return finish();
}
