/* Everything that one process can do to another, tried on the sandbox's init; and a signal to every
   number that a process of the host might have. */
#include "probe.h"
#include <sys/ioctl.h>
int main(void) {
    require_walls();
    long word = 1, reached = 0, limits[2] = {1, 1}, info[16] = {0};
    for (int pid = 3; pid < 40000; pid++) reached += pid != getpid() && kill(pid, 0) == 0;
    holds("nobody else", reached == 0);
    int init = syscall(434, 1, 0);
    holds("a descriptor of init", init >= 0);
    ((int *)info)[2] = -1; /* si_code: SI_QUEUE */
    attempt("kill", kill(1, SIGKILL));
    attempt("queue", syscall(SYS_rt_sigqueueinfo, 1, SIGKILL, info));
    attempt("queue to thread", syscall(SYS_rt_tgsigqueueinfo, 1, 1, SIGKILL, info));
    attempt("signal by descriptor", syscall(424, init, SIGKILL, 0, 0));
    for (int request = 0xff01; request <= 0xff0a; request++) attempt("its namespaces", ioctl(init, request, 0) >= 0 ? 0 : errno == ENOTTY || errno == EINVAL ? (errno = EPERM, -1) : -1);
    attempt("limits", syscall(302, 1, 7, limits, 0));
    attempt("affinity", syscall(SYS_sched_setaffinity, 1, 8, &word));
    attempt("priority", syscall(SYS_setpriority, 0, 1, 19));
    attempt("i/o priority", syscall(SYS_ioprio_set, 1, 1, 3 << 13 | 7));
    attempt("pages", syscall(279, 1, 0, 0, 0, 0, 0));
    attempt("advice", syscall(440, init, &limits, 1, 4, 0));
    attempt("group", setpgid(1, 1));
    attempt("robust list", syscall(274, 1, &word, &limits));
    attempt("compare", syscall(312, getpid(), 1, 0, 0, 0));
    attempt("its descriptor", syscall(438, init, 0, 0));
    return finish();
}
