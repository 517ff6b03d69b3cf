/* One byte of each 2 MiB, with huge pages asked for: each byte costs a whole one. */
#include "probe.h"
#include <sys/mman.h>
int main(void) {
    require_walls();
    unsigned long size = 4UL << 30;
    char *space = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (space == MAP_FAILED) { puts("CONTAINED refused"); return 0; }
    if (madvise(space, size, MADV_HUGEPAGE)) { puts("CONTAINED no huge pages"); return 0; }
    for (unsigned long at = 0; at < size; at += 2UL << 20) space[at] = 1;
    long resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%*d %ld", &resident) != 1) return 1;
    printf("%s %ld MiB\n", resident >> 8 > 256 ? "LEAK:more-than-its-memory" : "CONTAINED", resident >> 8);
    return 0;
}
