/* Parents in uninterruptible waits (vfork) under children that ignore everything. */
#include "probe.h"
int main(void) {
    require_walls();
    set_name("dcx-vfork");
    for (int i = 0; i < 8; i++)
        if (fork() == 0) {
            for (int s = 1; s < 65; s++) signal(s, SIG_IGN);
            if (vfork() == 0) for (;;) syscall(SYS_pause);
            _exit(0);
        }
    usleep(100000);
    puts("CONTAINED");
    return 0;
}
