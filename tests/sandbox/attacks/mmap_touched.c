/* Reserves address space and touches all of it. */
#include "probe.h"
#include <sys/mman.h>
int main(void) {
    require_walls();
    char *space = mmap(0, 64UL << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (space == MAP_FAILED) { printf("CONTAINED refused %d\n", errno); return 0; }
    for (unsigned long at = 0; at < 64UL << 30; at += 4096) space[at] = 1;
    puts("LEAK:64-GiB");
    return 0;
}
