/* Uses three quarters of its memory, then kills itself: still a plain signal. */
#include "probe.h"
int main(int argc, char **argv) {
    long mib = argc > 1 ? atol(argv[1]) : 48;
    for (long n = 0; n < mib; n++) { char *b = malloc(1 << 20); if (b) memset(b, 1, 1 << 20); }
    puts("before");
    fflush(stdout);
    raise(SIGKILL);
    return 0;
}
