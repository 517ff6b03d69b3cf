#define _GNU_SOURCE
#include <fcntl.h>
#include <math.h>
#include <locale.h>
#include <mqueue.h>
#include <netdb.h>
#include <poll.h>
#include <pwd.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
extern char **environ;
#define NEED(x) do { if (!(x)) { printf("failed: %s\n", #x); return 1; } } while (0)
int main(void) {
    int p[2], status; pid_t pid; struct utsname u; struct timespec ts; struct rusage r;
    NEED(pipe(p) == 0); NEED(write(p[1], "x", 1) == 1);
    NEED((pid = fork()) >= 0); if (!pid) _exit(5);
    NEED(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 5);
    NEED((pid = vfork()) >= 0); if (!pid) { execl("/bin/true", "true", (char *)0); _exit(1); }
    NEED(waitpid(pid, &status, 0) == pid && status == 0);
    char *argv[] = {"sh", "-c", "exit 6", 0};
    NEED(posix_spawn(&pid, "/bin/sh", 0, 0, argv, environ) == 0 && waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 6);
    NEED(system("exit 2") == 512);
    FILE *f = popen("echo hi", "r"); char line[9]; NEED(f && fgets(line, 9, f) && !strcmp(line, "hi\n")); pclose(f);
    NEED(uname(&u) == 0 && clock_gettime(CLOCK_MONOTONIC, &ts) == 0 && getrusage(RUSAGE_SELF, &r) == 0);
    NEED(epoll_create1(0) >= 0 && eventfd(0, 0) >= 0 && timerfd_create(CLOCK_MONOTONIC, 0) >= 0);
    NEED(mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    void *code = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    NEED(code != MAP_FAILED && mprotect(code, 4096, PROT_READ | PROT_EXEC) == 0);
    sem_t *s = sem_open("/named", O_CREAT, 0600, 1); NEED(s != SEM_FAILED && sem_wait(s) == 0 && sem_unlink("/named") == 0);
    int shm = shm_open("/area", O_CREAT | O_RDWR, 0600); NEED(shm >= 0 && ftruncate(shm, 4096) == 0 && shm_unlink("/area") == 0);
    char name[] = "/tmp/fXXXXXX"; NEED(mkstemp(name) >= 0 && unlink(name) == 0); NEED(tmpfile() != 0);
    struct addrinfo *found; NEED(getaddrinfo("localhost", "80", 0, &found) == 0);
    NEED(getpwuid(getuid()) != 0); NEED(sqrt(16.0 + 0 * getpid()) == 4);
    struct flock lock = {.l_type = F_WRLCK}; int fd = open("lockfile", O_CREAT | O_RDWR, 0600); NEED(fd >= 0 && fcntl(fd, F_SETLK, &lock) == 0);
    NEED(fallocate(fd, 0, 0, 8192) == 0 && fsync(fd) == 0); NEED(mkfifo("fifo", 0600) == 0 && symlink("a", "b") == 0 && mkdir("dir", 0700) == 0 && chdir("dir") == 0);
    int pair[2]; NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    struct sigaction sa = {.sa_handler = SIG_IGN}; NEED(sigaction(SIGPIPE, &sa, 0) == 0);
    stack_t alt = {.ss_sp = malloc(65536), .ss_size = 65536}; NEED(sigaltstack(&alt, 0) == 0);
    timer_t timer; NEED(timer_create(CLOCK_REALTIME, 0, &timer) == 0);
    puts("fine"); return 0;
}
