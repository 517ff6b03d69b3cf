/* Packets for a port that nobody reads come back into error queues, copies charged to no group. */
#include "probe.h"
#include <netinet/in.h>
#include <sys/socket.h>
int main(void) {
    require_walls();
    static char packet[60000];
    int ends[2];
    if (pipe(ends)) return 1;
    for (int n = 0; n < 20; n++) {
        if (fork() > 0) continue;
        long taken[2] = {0, 0};
        struct sockaddr_in nobody = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(9)};
        for (int fd; taken[0] < 60 && (fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0)) >= 0; taken[0]++) {
            int size = 1 << 30, on = 1, stamps = 2 | 16 | 256;
            unsigned figures[16] = {0};
            socklen_t length = sizeof figures;
            setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
            setsockopt(fd, SOL_SOCKET, 37, &stamps, sizeof stamps);
            setsockopt(fd, IPPROTO_IP, 11, &on, sizeof on);
            for (int k = 0; k < 60; k++) sendto(fd, packet, sizeof packet, 0, (void *)&nobody, sizeof nobody);
            getsockopt(fd, SOL_SOCKET, 55, figures, &length);
            taken[1] += figures[0];
        }
        if (write(ends[1], taken, sizeof taken)) pause();
    }
    long sockets = 0, bytes = 0, taken[2];
    for (int n = 0; n < 20; n++) {
        if (read(ends[0], taken, sizeof taken) != sizeof taken) return 1;
        sockets += taken[0];
        bytes += taken[1];
    }
    printf("%s %ld sockets %ld MiB\n", sockets > 560 || bytes >> 20 > 250 ? "LEAK:uncounted-memory" : "CONTAINED", sockets, bytes >> 20);
    return 0;
}
