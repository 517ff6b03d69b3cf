/* Timers, inotify watches, epoll nests, eventfds, signals queued, locks: bounded or accounted. */
#include "probe.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>
#include <time.h>
int main(void) {
    require_walls();
    long timers = 0, watches = 0, queued = 0, locks = 0, nested = 0;
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_NONE};
    while (timers < 2000000 && timer_create(CLOCK_MONOTONIC, &event, &timer) == 0) timers++;
    int notify = inotify_init1(IN_NONBLOCK);
    for (int n = 0; notify >= 0 && n < 20000; n++) {
        char name[32];
        snprintf(name, sizeof name, "/tmp/w%d", n);
        int fd = open(name, O_CREAT | O_WRONLY, 0600);
        if (fd < 0) break;
        close(fd);
        if (inotify_add_watch(notify, name, IN_ALL_EVENTS) < 0) break;
        watches++;
    }
    signal(SIGRTMIN, SIG_DFL);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, 0);
    union sigval value = {0};
    while (queued < 2000000 && sigqueue(getpid(), SIGRTMIN, value) == 0) queued++;
    int file = open("/tmp/locks", O_CREAT | O_RDWR, 0600);
    struct flock lock = {.l_type = F_WRLCK, .l_len = 1};
    for (; locks < 200000; locks++) {
        lock.l_start = locks * 2;
        if (file < 0 || fcntl(file, F_SETLK, &lock)) break;
    }
    int last = epoll_create1(0);
    for (; nested < 2000; nested++) {
        int next = epoll_create1(0);
        struct epoll_event ready = {.events = EPOLLIN};
        if (next < 0 || epoll_ctl(next, EPOLL_CTL_ADD, last, &ready)) break;
        last = next;
    }
    printf("%s timers %ld watches %ld queued %ld locks %ld nested %ld\n",
           timers >= 2000000 || queued >= 2000000 ? "LEAK:unbounded" : "CONTAINED", timers, watches, queued, locks, nested);
    return 0;
}
