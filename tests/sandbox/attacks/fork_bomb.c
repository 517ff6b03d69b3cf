/* The fork bomb. */
#include "probe.h"
int main(void) { require_walls(); set_name("dcx-forkbomb"); for (;;) fork(); }
