/* Each process burns a little, hands over to its child and ends: no single one is ever over. */
#include "probe.h"
#include <time.h>
int main(void) {
    require_walls();
    set_name("dcx-relay");
    for (;;) {
        clock_t begun = clock();
        while (clock() - begun < CLOCKS_PER_SEC / 10) ;
        pid_t pid = fork();
        if (pid > 0) { waitpid(pid, 0, 0); _exit(0); }
    }
}
