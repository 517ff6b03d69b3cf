/* Closes all descriptors, stops its children, and lingers. */
#include "probe.h"
int main(void) { for (int i = 0; i < 4096; i++) close(i); if (fork() == 0) raise(SIGSTOP); for (;;) sleep(100); }
