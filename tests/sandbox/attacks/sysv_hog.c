/* SysV shared memory outlives the process that fills it. */
#include "probe.h"
#include <sys/shm.h>
int main(void) {
    require_walls();
    for (int n = 0; n < 256; n++) {
        int id = shmget(IPC_PRIVATE, 16 << 20, IPC_CREAT | 0600);
        if (id < 0) { printf("CONTAINED %d %d\n", errno, n); return 0; }
        char *at = shmat(id, 0, 0);
        if (at == (char *)-1) { printf("CONTAINED %d %d\n", errno, n); return 0; }
        memset(at, 1, 16 << 20);
        shmdt(at);
    }
    puts("LEAK:4-GiB");
    return 0;
}
