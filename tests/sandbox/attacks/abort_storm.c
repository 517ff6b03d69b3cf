/* Hundreds of crashing processes: no core, no helper of the host started for any. */
#include "probe.h"
int main(void) {
    require_walls();
    for (int n = 0; n < 300; n++) { if (fork() == 0) abort(); wait(0); }
    holds("no core", access("core", F_OK) != 0);
    return finish();
}
