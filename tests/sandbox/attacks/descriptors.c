/* A compiled program inherits 0, 1, 2 and nothing else. */
#include "probe.h"
int main(void) {
    int found = 0;
    for (int fd = 3; fd < 4096; fd++) found += fcntl(fd, F_GETFD) != -1;
    holds("only 0, 1, 2", found == 0);
    holds("0 open", fcntl(0, F_GETFD) != -1);
    holds("1 open", fcntl(1, F_GETFD) != -1);
    holds("2 open", fcntl(2, F_GETFD) != -1);
    return finish();
}
