#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
static int total; static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER; static sem_t s;
static void *work(void *x) { for (int i = 0; i < 1000; i++) { pthread_mutex_lock(&m); total++; pthread_mutex_unlock(&m); } sem_post(&s); return x; }
int main(void) { pthread_t t[8]; sem_init(&s, 0, 0); for (int i = 0; i < 8; i++) pthread_create(t + i, 0, work, 0); for (int i = 0; i < 8; i++) { sem_wait(&s); pthread_join(t[i], 0); } puts(total == 8000 ? "fine" : "wrong"); return 0; }
