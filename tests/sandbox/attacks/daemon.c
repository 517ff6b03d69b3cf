/* A daemon that keeps the program's stdout open and outlives it. */
#include "probe.h"
int main(void) {
    require_walls();
    set_name("dcx-daemon");
    if (fork() == 0) {
        setsid();
        if (fork() == 0) {
            for (int i = 1; i < 65; i++) signal(i, SIG_IGN);
            for (;;) { dprintf(1, "."); usleep(1000); }
        }
        _exit(0);
    }
    wait(0);
    puts("CONTAINED");
    return 0;
}
