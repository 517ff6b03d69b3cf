/* Takes and touches memory until stopped. */
#include "probe.h"
int main(void) {
    require_walls();
    for (long n = 0; n < 65536; n++) {
        char *block = malloc(1 << 20);
        if (!block) { puts("CONTAINED ENOMEM"); return 0; }
        memset(block, 1, 1 << 20);
    }
    puts("LEAK:64-GiB");
    return 0;
}
