/* Reserves address space without touching it, then touches a little: no memory was used. */
#include "probe.h"
#include <sys/mman.h>
int main(void) {
    char *space = mmap(0, 64UL << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (space == MAP_FAILED) { printf("CONTAINED refused %d\n", errno); return 0; }
    space[0] = space[32UL << 30] = 1;
    puts("CONTAINED reserved");
    return 0;
}
