/* Kernel memory behind pipes: many, each as large as allowed, all filled. */
#include "probe.h"
int main(void) {
    require_walls();
    static char piece[65536];
    long total = 0;
    for (int p = 0; p < 64; p++) {
        if (p && fork() == 0) { for (;;) pause(); } /* a child keeps the last round's descriptors */
        for (int n = 0; n < 100; n++) {
            int ends[2];
            if (pipe2(ends, O_NONBLOCK)) break;
            fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
            long got;
            while ((got = write(ends[1], piece, sizeof piece)) > 0) total += got;
        }
        for (int fd = 3; fd < 4096; fd++) close(fd);
    }
    printf("%s %ld MiB\n", total >> 20 > 2048 ? "LEAK:pipe-memory" : "CONTAINED", total >> 20);
    return 0;
}
