/* Children of the program's parent, which is outside: it would never wait for them, and the
   sandbox's init cannot end while they are not reaped. */
#include "probe.h"
int main(void) {
    require_walls();
    for (int n = 0; n < 20; n++) {
        long pid = syscall(SYS_clone, 0x8000 | SIGCHLD, 0, 0, 0, 0);
        if (pid == 0) {
            set_name("dcx-sibling");
            if (n % 2) pause();
            _exit(0);
        }
        attempt("clone with CLONE_PARENT", pid);
    }
    attempt_syscall("from a child", SYS_clone, 0x8000, 0, 0, 0, 0, 0);
    attempt_syscall("with a signal", SYS_clone, 0x8000 | SIGKILL, 0, 0, 0, 0, 0);
    attempt_syscall("vfork-like", SYS_clone, 0x8000 | 0x4000 | 0x100 | SIGCHLD, 0, 0, 0, 0, 0);
    return finish();
}
