/* Makes itself the least likely to be killed for want of memory, stays small itself, and fills
   files: whoever dies instead must not be the supervisor. */
#include "probe.h"
int main(int argc, char **argv) {
    require_walls();
    const char *scores[] = {"-1000", "-1", "0", "1", "500"};
    for (unsigned i = 0; i < sizeof scores / sizeof *scores; i++) {
        int fd = open("/proc/self/oom_score_adj", O_WRONLY);
        if (fd >= 0 && write(fd, scores[i], strlen(scores[i])) > 0) break;
    }
    static char piece[1 << 20];
    for (int place = 0; place < 3; place++) {
        char name[32];
        snprintf(name, sizeof name, "%s/hog", (const char *[]){"/dev/shm", "/tmp", "/work"}[place]);
        int fd = open(name, O_CREAT | O_WRONLY, 0600);
        for (int n = 0; n < 4096; n++) if (write(fd, piece, sizeof piece) < 0) break;
    }
    puts("CONTAINED");
    return argc > 5 && argv[0] == 0;
}
