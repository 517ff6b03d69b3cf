// The fork bomb, whose processes start sessions of their own and ignore signals.
#include "probe.h"
int main() {
    require_walls();
    set_name("dcx-forkbomb");
    for (int i = 1; i < 65; i++) signal(i, SIG_IGN);
    for (;;) { if (fork() == 0) setsid(); }
}
