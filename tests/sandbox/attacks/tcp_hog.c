/* Kernel memory behind TCP and UDP buffers on the loopback, which not every kernel charges to a
   control group; nobody reads what is sent. */
#include "probe.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
static char piece[1 << 16];
static long fill(int fd) {
    long total = 0, got;
    while ((got = send(fd, piece, sizeof piece, MSG_DONTWAIT | MSG_NOSIGNAL)) > 0) total += got;
    return total;
}
static void enough(int number) { (void)number; }
int main(void) {
    require_walls();
    struct sigaction action = {.sa_handler = enough}; /* without SA_RESTART: read returns */
    sigaction(SIGALRM, &action, 0);
    long total = 0;
    int counts[2];
    if (pipe(counts)) return 1;
    for (int child = 0; child < 4; child++) {
        if (fork() == 0) {
            long mine = 0;
            struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
            socklen_t length = sizeof here;
            int size = 1 << 30, listener = socket(AF_INET, SOCK_STREAM, 0);
            setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
            bind(listener, (struct sockaddr *)&here, sizeof here);
            listen(listener, 512);
            getsockname(listener, (struct sockaddr *)&here, &length);
            for (int n = 0; n < 100; n++) {
                int out = socket(AF_INET, SOCK_STREAM, 0);
                setsockopt(out, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
                if (out < 0 || connect(out, (struct sockaddr *)&here, sizeof here)) break;
                int in = accept(listener, 0, 0);
                mine = fill(out) + fill(in);
                if (write(counts[1], &mine, sizeof mine) < 0) _exit(1);
            }
            for (;;) pause();
        }
    }
    close(counts[1]);
    alarm(2); /* full is full: no child closes its end */
    for (long mine; total >> 20 <= 256 && read(counts[0], &mine, sizeof mine) == sizeof mine;) total += mine;
    printf("%s %ld MiB\n", total >> 20 > 256 ? "LEAK:socket-memory-uncharged" : "CONTAINED", total >> 20);
    return 0;
}
