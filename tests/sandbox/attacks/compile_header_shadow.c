/* Its own <stdio.h> beside it must not be taken for the system's by angle brackets, nor by the pch. */
#include <stdio.h>
int main(void) { puts("CONTAINED"); return 0; }
