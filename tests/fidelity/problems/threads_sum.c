#include <pthread.h>
#include <stdio.h>
#include <assert.h>
static void *work(void *a) { long n = (long)a, s = 0; for (long i = n * 1000; i < (n + 1) * 1000; i++) s += i; return (void *)s; }
int main(void) { pthread_t t[8]; long s = 0; for (long i = 0; i < 8; i++) pthread_create(t + i, 0, work, (void *)i); for (int i = 0; i < 8; i++) { void *r; pthread_join(t[i], &r); s += (long)r; } assert(s == 31996000); printf("%ld\n", s); return 0; }
