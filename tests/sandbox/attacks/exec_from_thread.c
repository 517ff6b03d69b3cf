/* Endings that are not main's: another thread executes, or exits, after the first has gone. */
#include "probe.h"
#include <pthread.h>
static void *execute(void *unused) {
    execl("/bin/sh", "sh", "-c", "echo executed; exit 5", (char *)0);
    return unused;
}
static void *leave(void *unused) {
    usleep(100000);
    puts("left");
    exit(6);
    return unused;
}
int main(int count, char **arguments) {
    pthread_t thread;
    (void)count;
    if (strcmp(arguments[1], "execute") == 0) {
        pthread_create(&thread, 0, execute, 0);
        pthread_exit(0);
    }
    pthread_create(&thread, 0, leave, 0);
    syscall(SYS_exit, 3);
    return 4;
}
