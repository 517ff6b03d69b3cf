/* Splits the hog over eight processes, each below the limit. */
#include "probe.h"
int main(int argc, char **argv) {
    require_walls();
    long mib = argc > 1 ? atol(argv[1]) : 64; /* each */
    int alive = 0, status;
    int ready[2];
    if (pipe(ready)) return 1;
    for (int i = 0; i < 8; i++)
        if (fork() == 0) {
            for (long n = 0; n < mib; n++) {
                char *block = malloc(1 << 20);
                if (!block) _exit(1);
                memset(block, 1, 1 << 20);
            }
            if (write(ready[1], "x", 1) != 1) _exit(1);
            sleep(2);
            _exit(0);
        }
    while (wait(&status) > 0) alive += WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (alive == 8) puts("LEAK:all-eight");
    else printf("CONTAINED %d\n", alive);
    return alive == 8 ? 0 : 5;
}
