/* Runs a file that belongs to root and is setuid, in a directory that sandboxes are shown.
   argv[1]: it; without arguments this program is that file. */
#include "probe.h"
int main(int argc, char **argv) {
    if (argc < 2) {
        puts(geteuid() == 0 ? "LEAK:root" : "CONTAINED");
        return 0;
    }
    execl(argv[1], argv[1], (char *)0);
    puts("CONTAINED");
    return 0;
}
