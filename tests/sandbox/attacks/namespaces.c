/* New namespaces by unshare, clone and clone3, and entering others by setns. */
#include "probe.h"
#include <sched.h>
#include <signal.h>
#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif
int main(void) {
    const struct { const char *name; long flag; } kinds[] = {
        {"user", CLONE_NEWUSER}, {"mnt", CLONE_NEWNS}, {"pid", CLONE_NEWPID}, {"net", CLONE_NEWNET},
        {"ipc", CLONE_NEWIPC}, {"uts", CLONE_NEWUTS}, {"cgroup", CLONE_NEWCGROUP}, {"time", 0x80}};
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char name[64];
        snprintf(name, sizeof name, "unshare %s", kinds[i].name);
        attempt_syscall(name, SYS_unshare, kinds[i].flag, 0, 0, 0, 0, 0);
        snprintf(name, sizeof name, "unshare user+%s", kinds[i].name);
        attempt_syscall(name, SYS_unshare, kinds[i].flag | CLONE_NEWUSER, 0, 0, 0, 0, 0);
        if (kinds[i].flag != 0x80) {
            snprintf(name, sizeof name, "clone %s", kinds[i].name);
            attempt_syscall(name, SYS_clone, kinds[i].flag | SIGCHLD, 0, 0, 0, 0, 0);
            snprintf(name, sizeof name, "clone user+%s", kinds[i].name);
            attempt_syscall(name, SYS_clone, kinds[i].flag | CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0, 0);
        }
        char path[64];
        snprintf(path, sizeof path, "/proc/self/ns/%s", kinds[i].name);
        int fd = open(path, O_RDONLY);
        if (fd >= 0) {
            snprintf(name, sizeof name, "setns own %s", kinds[i].name);
            attempt_syscall(name, SYS_setns, fd, 0, 0, 0, 0, 0);
        }
    }
    char arguments[88];
    memset(arguments, 0, sizeof arguments);
    pid_t pid = fork();
    if (pid == 0) {
        long result = syscall(435, arguments, sizeof arguments);
        _exit(result == -1 ? errno : 0);
    }
    int status;
    waitpid(pid, &status, 0);
    /* ENOSYS, so that libraries fall back to clone, whose flags a filter can see. */
    holds("clone3 is ENOSYS", WIFEXITED(status) && WEXITSTATUS(status) == ENOSYS);
    return finish();
}
