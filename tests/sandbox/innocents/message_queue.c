/* A POSIX message queue between two processes. */
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void) {
    char name[64], message[16];
    snprintf(name, sizeof name, "/dcodex-innocent-%d", (int)getpid());
    struct mq_attr shape = {.mq_maxmsg = 4, .mq_msgsize = sizeof message};
    mqd_t queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &shape);
    if (queue == (mqd_t)-1) { perror("mq_open"); return 1; }
    if (fork() == 0) _exit(mq_send(queue, "fine", 5, 1) != 0);
    if (mq_receive(queue, message, sizeof message, 0) < 0) { perror("mq_receive"); return 1; }
    int status;
    wait(&status);
    if (mq_unlink(name)) { perror("mq_unlink"); return 1; }
    puts(status ? "no" : message);
    return 0;
}
