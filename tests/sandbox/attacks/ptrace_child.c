/* Leaves a traced, stopped child behind, if it may trace at all. */
#include "probe.h"
#include <sys/ptrace.h>
int main(void) {
    set_name("dcx-traced");
    pid_t pid = fork();
    if (pid == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        for (;;) pause();
    }
    usleep(50000);
    puts("CONTAINED");
    return 0;
}
