/* Splits the burning over threads. */
#include "probe.h"
#include <pthread.h>
static void *burn(void *unused) { (void)unused; for (volatile long n = 0;; n++); }
int main(void) {
    pthread_t thread;
    for (int i = 0; i < 8; i++) pthread_create(&thread, 0, burn, 0);
    pthread_join(thread, 0);
}
