/* One byte touched in each 2 MiB: page tables cost as much as the pages. */
#include "probe.h"
#include <sys/mman.h>
int main(void) {
    require_walls();
    unsigned long size = 1UL << 40;
    char *space = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (space == MAP_FAILED) { printf("CONTAINED refused %d\n", errno); return 0; }
    madvise(space, size, MADV_NOHUGEPAGE);
    volatile char sum = 0;
    for (unsigned long at = 0; at < size; at += 2UL << 20) sum += space[at]; /* zero page: tables only */
    puts("CONTAINED"); /* 524288 tables are 2 GiB: reaching this line is a leak under a small limit */
    return sum;
}
