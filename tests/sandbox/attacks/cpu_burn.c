/* Burns CPU and ignores the signals that a limit might send. */
#include "probe.h"
int main(void) { for (int i = 1; i < 65; i++) signal(i, SIG_IGN); for (volatile long n = 0;; n++); }
