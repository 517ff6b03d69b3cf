/* A tree that stops itself, again and again, and is deaf to SIGCONT: wall time goes on. */
#include "probe.h"
int main(void) {
    require_walls();
    puts("stopping");
    fflush(stdout);
    for (int n = 0; n < 30; n++)
        if (fork() == 0) {
            set_name("dcx-stopped");
            signal(SIGCONT, SIG_IGN);
            for (;;) raise(SIGSTOP);
        }
    kill(0, SIGSTOP);
    for (;;) pause();
}
