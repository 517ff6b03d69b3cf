#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <unistd.h>
#include <sched.h>
#include <fcntl.h>
static atomic_int n; pthread_mutex_t m=PTHREAD_MUTEX_INITIALIZER; pthread_cond_t c=PTHREAD_COND_INITIALIZER; pthread_barrier_t b; pthread_key_t k; _Thread_local int tl; sem_t s; static int ready;
void*f(void*a){ n++; pthread_setspecific(k,a); tl=1; pthread_barrier_wait(&b); sem_wait(&s); pthread_mutex_lock(&m); ready++; pthread_cond_signal(&c); pthread_mutex_unlock(&m); return (void*)((long)pthread_getspecific(k)*2);} 
int main(){ pthread_t t[16]; pthread_key_create(&k,0); pthread_barrier_init(&b,0,17); sem_init(&s,0,0); for(long i=0;i<16;i++) pthread_create(t+i,0,f,(void*)i); pthread_barrier_wait(&b); for(int i=0;i<16;i++) sem_post(&s); pthread_mutex_lock(&m); while(ready<16) pthread_cond_wait(&c,&m); pthread_mutex_unlock(&m); long sum=0; for(int i=0;i<16;i++){ void*r; pthread_join(t[i],&r); sum+=(long)r;} printf("%d %ld\n",n,sum); sem_t*q=sem_open("/q",O_CREAT,0600,1); printf("%d\n",sem_trywait(q)); sem_unlink("/q"); pthread_mutexattr_t a; pthread_mutexattr_init(&a); pthread_mutexattr_setrobust(&a,PTHREAD_MUTEX_ROBUST); pthread_mutexattr_setprotocol(&a,PTHREAD_PRIO_INHERIT); pthread_mutex_t r; printf("%d %d\n",pthread_mutex_init(&r,&a),pthread_mutex_lock(&r)); pthread_setname_np(pthread_self(),"nm"); char nm[16]; pthread_getname_np(pthread_self(),nm,16); puts(nm); pthread_exit(0);}
