/* A process that forks and exits at once, for ever: its pid is always new. */
#include "probe.h"
int main(void) {
    require_walls();
    set_name("dcx-chain");
    if (fork() != 0) { puts("CONTAINED"); return 0; }
    setsid();
    for (;;) if (fork() > 0) _exit(0);
}
