/* Kernel memory behind pipes: many, each as large as allowed, all filled, all kept by children. */
#include "probe.h"
int main(void) {
    require_walls();
    static char piece[65536];
    long total = 0;
    for (int p = 0; p < 40; p++) {
        for (int n = 0; n < 100; n++) {
            int ends[2];
            if (pipe2(ends, O_NONBLOCK)) break;
            fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
            long got;
            while ((got = write(ends[1], piece, sizeof piece)) > 0) total += got;
        }
        pid_t child = fork();
        if (child == 0) for (;;) pause(); /* keeps this round's descriptors */
        if (child < 0) break;
        for (int fd = 3; fd < 4096; fd++) close(fd);
    }
    printf("%s %ld MiB\n", total >> 20 > 256 ? "LEAK:pipe-memory" : "CONTAINED", total >> 20);
    return 0;
}
