#define _GNU_SOURCE
#include <stdio.h>
#include <unistd.h>
#include <sys/wait.h>
#include <sys/mman.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <setjmp.h>
#include <alloca.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/sem.h>
#include <sys/msg.h>
#include <mqueue.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <sys/signalfd.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <dlfcn.h>
#include <ucontext.h>
#include <errno.h>
extern char**environ; jmp_buf j; static volatile int hits; void h(int s){hits++;} int cmp(const void*a,const void*b){return *(int*)a-*(int*)b;} ucontext_t u1,u2; char st[65536]; void co(){puts("coroutine"); swapcontext(&u2,&u1);}
int main(){ int*sh=mmap(0,4096,3,MAP_SHARED|MAP_ANONYMOUS,-1,0); if(!fork()){*sh=9;_exit(4);} int s; wait(&s); printf("%d %d\n",*sh,WEXITSTATUS(s)); if(!vfork())execlp("true","true",NULL); wait(&s); printf("%d\n",s); pid_t p; char*a[]={"echo","spawned",0}; fflush(stdout); posix_spawnp(&p,"echo",0,0,a,environ); waitpid(p,&s,0); struct sigaction sa={.sa_handler=h}; sigaction(SIGUSR1,&sa,0); raise(SIGUSR1); kill(getpid(),SIGUSR1); printf("%d\n",hits); int r=setjmp(j); if(r<3) longjmp(j,r+1); printf("%d\n",r); int n=10,v[n]; for(int i=0;i<n;i++)v[i]=(i*7)%10; qsort(v,n,4,cmp); for(int i=0;i<n;i++)printf("%d ",v[i]); char*al=alloca(100); strcpy(al,"alloca"); puts(al); int id=shmget(IPC_PRIVATE,4096,0600); char*m=shmat(id,0,0); strcpy(m,"sysv"); puts(m); shmctl(id,IPC_RMID,0); int se=semget(IPC_PRIVATE,1,0600); printf("%d\n",semctl(se,0,SETVAL,3)); semctl(se,0,IPC_RMID); int q=msgget(IPC_PRIVATE,0600); struct{long t;char x[8];} mb={1,"msg"}; msgsnd(q,&mb,8,0); msgrcv(q,&mb,8,0,0); puts(mb.x); msgctl(q,IPC_RMID,0); mqd_t d=mq_open("/mq",O_CREAT|O_RDWR,0600,0); printf("%d\n",d>0); mq_send(d,"hi",3,0); char bf[9000]; mq_receive(d,bf,9000,0); puts(bf); mq_unlink("/mq"); int t=timerfd_create(CLOCK_MONOTONIC,0); struct itimerspec ts={{0,0},{0,1000000}}; timerfd_settime(t,0,&ts,0); long x; printf("%ld %ld\n",(long)read(t,&x,8),x); struct rlimit rl; getrlimit(RLIMIT_CORE,&rl); rl.rlim_cur=0; rl.rlim_max=0; printf("%d\n",setrlimit(RLIMIT_CORE,&rl)); getrlimit(RLIMIT_CORE,&rl); printf("%ld %ld\n",(long)rl.rlim_cur,(long)rl.rlim_max); void*l=dlopen("libm.so.6",RTLD_NOW); double(*f)(double)=dlsym(l,"sqrt"); printf("%g\n",f(2)); getcontext(&u2); u2.uc_stack.ss_sp=st; u2.uc_stack.ss_size=sizeof st; u2.uc_link=&u1; makecontext(&u2,co,0); swapcontext(&u1,&u2); signal(SIGALRM,h); alarm(1); pause(); printf("%d %s\n",hits,strerror(EAGAIN)); sync(); timer_t tm; struct sigevent ev={.sigev_notify=SIGEV_SIGNAL,.sigev_signo=SIGUSR1}; printf("%d\n",timer_create(CLOCK_REALTIME,&ev,&tm)); return 0;}
