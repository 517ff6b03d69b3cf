/* Asynchronous I/O contexts are counted for the whole machine: one program must not take them all. */
#include "probe.h"
int main(void) {
    require_walls();
    long taken = 0, step = 32768;
    FILE *file = fopen("/proc/sys/fs/aio-max-nr", "r");
    long most = 0;
    if (!file || fscanf(file, "%ld", &most) != 1) most = 65536;
    while (step >= 64) {
        unsigned long context = 0;
        if (syscall(SYS_io_setup, step, &context) == 0) taken += step;
        else step /= 2;
    }
    printf("%s %ld of %ld\n", taken * 2 > most ? "LEAK:most-aio-contexts" : "CONTAINED", taken, most);
    return 0;
}
