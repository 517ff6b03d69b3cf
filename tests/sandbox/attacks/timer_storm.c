/* A thousand timers that expire every nanosecond: whoever asked for the interrupts pays for them. */
#include "probe.h"
#include <sys/time.h>
#include <time.h>
static void ignore(int number) { (void)number; }
int main(void) {
    require_walls();
    struct itimerval often = {{0, 1}, {0, 1}};
    signal(SIGALRM, ignore);
    signal(SIGVTALRM, ignore);
    signal(SIGPROF, ignore);
    signal(SIGRTMIN, ignore);
    setitimer(ITIMER_REAL, &often, 0);
    setitimer(ITIMER_VIRTUAL, &often, 0);
    setitimer(ITIMER_PROF, &often, 0);
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
    for (int n = 0; n < 1000; n++) {
        timer_t timer;
        struct itimerspec soon = {{0, 1}, {0, 1}};
        if (timer_create(CLOCK_MONOTONIC, &event, &timer)) break;
        timer_settime(timer, 0, &soon, 0);
    }
    for (;;) pause();
}
