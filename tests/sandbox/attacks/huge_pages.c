/* Huge pages that the machine keeps for a database: they count to no group's memory. */
#include "probe.h"
#include <sys/mman.h>
#include <sys/shm.h>
int main(void) {
    require_walls();
    size_t size = 2 << 20;
    int kinds[] = {0, 21 << 26, 30 << 26};
    for (int n = 0; n < 3; n++) {
        void *pages = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | kinds[n], -1, 0);
        holds("mmap", pages == MAP_FAILED && errno == ENOMEM);
        holds("shmget", shmget(IPC_PRIVATE, size, IPC_CREAT | SHM_HUGETLB | kinds[n] | 0600) == -1 && errno == ENOMEM);
        holds("memfd", memfd_create("huge", MFD_HUGETLB | kinds[n]) == -1 && errno == EINVAL);
    }
    return finish();
}
