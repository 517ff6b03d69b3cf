/* Counts how many threads it gets. */
#include "probe.h"
#include <pthread.h>
static void *wait_(void *unused) { (void)unused; pause(); return 0; }
int main(void) {
    require_walls();
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 65536);
    for (int made = 1; made < 5000; made++) {
        pthread_t thread;
        int code = pthread_create(&thread, &small, wait_, 0);
        if (code) { printf("REFUSED %d %d\n", code, made); fflush(stdout); _exit(3); }
    }
    puts("LEAK:no-bound");
    return 0;
}
