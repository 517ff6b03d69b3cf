/* Processes that live for microseconds, by the hundred thousand. */
#include "probe.h"
int main(void) {
    require_walls();
    for (int n = 0; n < 30; n++)
        if (fork() == 0)
            for (;;) {
                pid_t pid = vfork();
                if (pid == 0) _exit(0);
                if (pid > 0) waitpid(pid, 0, 0);
            }
    for (;;) pause();
}
